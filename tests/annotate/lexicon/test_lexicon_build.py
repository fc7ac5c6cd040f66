"""Dumps into an index, and what is said about them."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import re
import tarfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner

from novelink.annotate.lexicon import Lexicon, Sources, build_lexicon
from novelink.annotate.lexicon.mesh import read_mesh
from novelink.annotate.lexicon.taxonomy import read_species
from novelink.annotate.linking import link
from novelink.cli.lexicon import command
from novelink.document import Document, Mention
from novelink.errors import DataError, SettingsError
from novelink.formats import write
from novelink.schema import CHEMICAL, DISEASE, VARIANT


def ids(lexicon, kind, name):
    return [found.concept_id for found in lexicon.candidates(kind, name)]


def test_each_dump_can_be_looked_up(lexicon):
    assert ids(lexicon, "gene", "lkb1") == ["6794"]
    assert ids(lexicon, "chemical", "acetylsalicylic acid") == ["D001241"]
    assert ids(lexicon, "chemical", "crocine") == ["C029036"]
    assert ids(lexicon, "chemical", "calcium") == ["D002118"]
    assert ids(lexicon, "disease", "high blood pressure") == ["D006973"]
    assert ids(lexicon, "disease", "louis bar syndrome") == ["D001260"]
    assert ids(lexicon, "species", "E. coli") == ["562"]
    assert ids(lexicon, "species", "HIV1") == ["11676"]
    assert ids(lexicon, "cell", "RAW-264.7") == ["CVCL_0493"]


def test_a_concept_comes_once_by_its_best_name(lexicon):
    """MeSH and CTD both know breast neoplasms: the preferred name in MeSH counts."""
    [found] = lexicon.candidates("disease", "Breast neoplasms")
    assert (found.concept_id, found.name, found.grade) == ("D001943", "Breast Neoplasms", 0)


def test_tree_numbers_and_classes_decide_the_kind(lexicon):
    """Anatomy is neither disease nor chemical; a rare disease is no chemical."""
    assert not ids(lexicon, "disease", "arm")
    assert not ids(lexicon, "chemical", "arm")
    assert not ids(lexicon, "chemical", "breast neoplasms")
    assert ids(lexicon, "disease", "10p deletion syndrome") == ["C538288"]
    assert not ids(lexicon, "chemical", "10p deletion syndrome")


def test_a_table_without_trees_takes_its_kinds_from_another_file(tmp_path):
    table = tmp_path / "mesh.tsv"
    table.write_text("D006973\tHypertension\tHigh Blood Pressure|Hypertensions\n")
    trees = tmp_path / "trees.tsv"
    trees.write_text("mesh_id\tmesh_name\tmesh_tree_number\nD006973\tHypertension\tC14.907.489\n")
    alone = {record.kind for record in read_mesh([table])}
    together = {record.kind for record in read_mesh([table, trees])}
    assert alone == {"chemical", "disease"}
    assert together == {"disease"}


def test_genes_of_unusual_organisms_are_left_out_and_counted(sources, tmp_path):
    report = build_lexicon(Sources(genes=sources.genes), tmp_path / "usual")
    assert report.genes_left_out == 1
    assert any("1 genes of other organisms left out" in line for line in report.lines())
    assert not ids(Lexicon.open(tmp_path / "usual"), "gene", "rin")
    everything = build_lexicon(Sources(genes=sources.genes, taxa=None), tmp_path / "all")
    assert everything.genes_left_out == 0
    assert ids(Lexicon.open(tmp_path / "all"), "gene", "rin") == ["543735"]


def test_similar_names_share_rare_words_and_are_ordered(lexicon):
    found = lexicon.similar("disease", "advanced anaplastic thyroid cancer")
    assert found[0].concept_id == "D065646"
    assert [item.overlap for item in found] == sorted(
        (item.overlap for item in found), reverse=True
    )


def test_names_dmp_is_read_from_the_archive_as_downloaded(dumps, tmp_path):
    archive = tmp_path / "taxdump.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        data = (dumps / "names.dmp").read_bytes()
        info = tarfile.TarInfo("names.dmp")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    assert list(read_species(archive)) == list(read_species(dumps / "names.dmp"))


def test_type_material_names_no_species(dumps):
    names = {name for record in read_species(dumps / "names.dmp") for name, _ in record.names}
    assert "ATCC 11775" not in names
    assert {"Escherichia coli", "E. coli", "Bacillus coli"} <= names


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        ("genes", "one\ttwo\n", "not a line of gene_info"),
        ("mesh", "hello\tworld\n", "none of the forms"),
        ("diseases", "hello\tworld\n", "CTD_diseases.tsv"),
        ("species", "a\tb\n", "names.dmp"),
        ("cells", "a\tb\n", "cellosaurus.txt"),
        ("mesh", "<a><b></a>", "not well-formed XML"),
    ],
)
def test_a_file_of_another_form_is_refused_by_name(tmp_path, option, text, message):
    path = tmp_path / "wrong.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as raised:
        build_lexicon(Sources(**{option: [path]}), tmp_path / "out")
    assert raised.value.source == str(path)


def test_a_cut_gzip_file_is_refused_and_the_old_index_stays(sources, tmp_path):
    folder = tmp_path / "lexicon"
    build_lexicon(Sources(cells=sources.cells), folder)
    cut = tmp_path / "gene_info.gz"
    cut.write_bytes(sources.genes[0].read_bytes()[:-20])
    with pytest.raises(DataError, match="cannot read the dump"):
        build_lexicon(Sources(genes=[cut]), folder)
    assert ids(Lexicon.open(folder), "cell", "hela") == ["CVCL_0030"]
    assert sorted(path.name for path in folder.iterdir()) == ["lexicon.json", "lexicon.sqlite"]


def test_nothing_to_build_from_is_an_error(tmp_path):
    with pytest.raises(SettingsError, match="at least one dump"):
        build_lexicon(Sources(), tmp_path / "out")


@pytest.mark.parametrize("content", [None, "{", '{"format": 99}', "[]"])
def test_a_folder_without_a_usable_lexicon_says_how_to_build_one(tmp_path, content):
    if content is not None:
        (tmp_path / "lexicon.json").write_text(content)
    with pytest.raises(SettingsError, match="novelink lexicon build"):
        Lexicon.open(tmp_path)


def test_a_lexicon_serves_threads_and_survives_pickling(lexicon):
    copy = pickle.loads(pickle.dumps(lexicon))
    names = ["TNF", "LKB1", "BRAF", "p14"] * 10
    expected = [ids(lexicon, "gene", name) for name in names]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda name: ids(copy, "gene", name), names)) == expected


def test_annotated_documents_say_what_a_name_usually_means(sources, tmp_path):
    text = "MS and aspirin. MS again."
    mentions = [
        Mention(0, 2, "MS", DISEASE, ("D009103",)),
        Mention(7, 14, "aspirin", CHEMICAL, ("D001241",)),
        Mention(16, 18, "MS", DISEASE, ("D009103",)),
    ]
    write([Document.from_text("1", text, mentions=mentions)], tmp_path / "corpus.pubtator")
    build_lexicon(
        Sources(cells=sources.cells, corpora=[tmp_path / "corpus.pubtator"]), tmp_path / "lexicon"
    )
    lexicon = Lexicon.open(tmp_path / "lexicon")
    assert lexicon.usage("disease", "ms") == {"D009103": 2}
    assert lexicon.usage("chemical", "ms") == {}


def test_annotated_documents_say_which_rs_number_a_variant_has(sources, tmp_path):
    text = "BRAF V600E and p.Val600Glu, G12D."
    spans = [(5, 10, "rs113488022"), (15, 26, "rs113488022"), (28, 32, "p|SUB|G|12|D")]
    mentions = [Mention(start, end, text[start:end], VARIANT, (one,)) for start, end, one in spans]
    write([Document.from_text("1", text, mentions=mentions)], tmp_path / "gold.jsonl")
    build_lexicon(
        Sources(cells=sources.cells, corpora=[tmp_path / "gold.jsonl"]), tmp_path / "index"
    )
    text = "V600E, valine 600 to glutamate, G12D and L858R."
    bare = [
        Mention(m.start(), m.end(), m[0], VARIANT)
        for m in re.finditer("V600E|valine 600 to glutamate|G12D|L858R", text)
    ]
    document = Document.from_text("2", text, mentions=bare)
    (found,) = link([document], Lexicon.open(tmp_path / "index"))
    assert [one.concept_ids[0] for one in found.mentions] == [
        "rs113488022",
        "rs113488022",
        "p|SUB|G|12|D",
        "p|SUB|L|858|R",
    ]


def test_the_command_builds_asks_and_describes(dumps, tmp_path):
    run = CliRunner().invoke
    out = str(tmp_path / "lexicon")
    built = run(
        command,
        ["build", "--genes", f"{dumps}/gene_info.gz", "--species", f"{dumps}/names.dmp", "-o", out],
    )
    assert built.exit_code == 0, built.output
    assert built.stdout == ""
    assert "gene: 11 records" in built.stderr
    found = run(command, ["lookup", out, "LKB1", "V600E", "--json"])
    assert [(row["type"], row["id"]) for row in json.loads(found.stdout)] == [
        ("GeneOrGeneProduct", "6794"),
        ("SequenceVariant", "p|SUB|V|600|E"),
    ]
    assert run(command, ["lookup", out, "LKB1", "--type", "Gene"]).stdout.split("\t")[2] == "6794"
    assert "gene_info.gz" in run(command, ["info", out]).stdout
    assert json.loads(run(command, ["info", out, "--json"]).stdout)["format"] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "-o", "x"],
        ["build", "--taxa", "human", "-o", "x"],
        ["lookup", "x", "y", "--type", "Z"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(command, arguments).exit_code == 2


def test_gzip_is_told_from_content_not_name(dumps, tmp_path):
    plain = tmp_path / "gene_info.gz"
    plain.write_bytes(gzip.decompress((dumps / "gene_info.gz").read_bytes()))
    assert build_lexicon(Sources(genes=[plain]), tmp_path / "out").concepts["gene"] == 11
