"""``novelink extract``: same relations by every way in and out; nothing half-written."""

from __future__ import annotations

import gzip
import io
import json
import shutil

import pytest

from novelink import Extractor, read, write


@pytest.fixture
def source(tmp_path, small_documents):
    path = tmp_path / "abstracts.pubtator"
    write(small_documents, path)
    return path


@pytest.fixture
def expected(source, tiny_bundle):
    return list(Extractor.load(tiny_bundle, threads=1).extract(read(source)))


def test_the_written_file_holds_what_the_python_api_gives(
    novelink, source, tiny_bundle, tmp_path, expected
):
    out = tmp_path / "found.jsonl"
    outcome = novelink("extract", source, "-o", out, "--model", tiny_bundle)
    assert (outcome.code, outcome.out) == (0, "")
    assert list(read(out)) == expected
    relations = sum(len(document.relations) for document in expected)
    assert f"{relations} relations among " in outcome.err
    assert f"in 6 documents (model tiny), written to {out}" in outcome.err
    assert "2 documents without two entities that could be related" in outcome.err


@pytest.mark.parametrize("name", ["jsonl", "pubtator", "bioc-json", "bioc-xml"])
def test_every_format_goes_to_standard_output_with_to(
    novelink, source, tiny_bundle, expected, name
):
    outcome = novelink("extract", source, "--to", name, "-m", tiny_bundle)
    assert outcome.code == 0
    found = list(read(io.BytesIO(outcome.out.encode()), name))
    assert [
        [
            (relation.id1, relation.id2, relation.type, relation.novelty)
            for relation in one.relations
        ]
        for one in found
    ] == [
        [
            (relation.id1, relation.id2, relation.type, relation.novelty)
            for relation in one.relations
        ]
        for one in expected
    ]


def test_file_gzip_and_standard_input_give_the_same_bytes(
    novelink_process, source, tiny_bundle, tmp_path
):
    packed = tmp_path / "packed.gz"
    packed.write_bytes(gzip.compress(source.read_bytes()))
    results = [
        novelink_process("extract", source, "-o", "-", "-m", tiny_bundle),
        novelink_process("extract", packed, "-o", "-", "-m", tiny_bundle),
        novelink_process("extract", "-", "-o", "-", "-m", tiny_bundle, stdin=source.read_bytes()),
    ]
    assert {result.code for result in results} == {0}
    assert results[0].out.count("\n") == 6
    assert results[0].out == results[1].out == results[2].out


def test_any_number_of_threads_gives_the_same_bytes(novelink, source, quantised_bundle, tmp_path):
    files = []
    for threads in (1, 2, 5):
        files.append(tmp_path / f"{threads}.jsonl")
        novelink("extract", source, "-o", files[-1], "-m", quantised_bundle, "--threads", threads)
    assert len({path.read_bytes() for path in files}) == 1


def test_several_inputs_become_one_output_in_their_order(
    novelink, small_documents, tiny_bundle, tmp_path
):
    first, second = tmp_path / "a.json", tmp_path / "b.pubtator"
    write(small_documents[3:], first)
    write(small_documents[:3], second)
    out = tmp_path / "found.xml"
    assert novelink("extract", first, second, "-o", out, "-m", tiny_bundle).code == 0
    assert [document.id for document in read(out)] == ["104", "105", "106", "101", "102", "103"]


def test_without_output_a_table_is_printed(novelink, source, tiny_bundle, expected):
    outcome = novelink("extract", source, "-m", tiny_bundle)
    lines = outcome.out.splitlines()
    assert lines[0] == "101  Loss of ORFX1 raises the risk of gutter disease"
    assert lines[1].split()[-4:] == ["type", "relation", "novelty", "score"]
    best = max(expected[0].relations, key=lambda relation: relation.score)
    assert lines[2].split()[-3:] == [best.type, best.novelty, f"{best.score:.2f}"]
    assert "  no relations" in lines
    assert outcome.err.startswith("novelink: ")


def test_min_score_bounds_the_scores(novelink, source, tiny_bundle, tmp_path):
    counts = []
    for least in (0, 0.5, 0.9):
        out = tmp_path / "found.jsonl"
        novelink("extract", source, "-o", out, "-m", tiny_bundle, "--min-score", least)
        scores = [relation.score for document in read(out) for relation in document.relations]
        assert min(scores) >= least
        counts.append(len(scores))
    assert counts == sorted(set(counts), reverse=True)


def test_relations_of_the_input_are_gone(novelink, source, tiny_bundle, tmp_path, expected):
    marked = tmp_path / "marked.pubtator"
    text = source.read_text()
    block, _, rest = text.partition("\n\n")
    marked.write_text(f"{block}\n101\tBind\t9901\t9902\tNovel\n\n{rest}")
    out = tmp_path / "found.jsonl"
    assert novelink("extract", marked, "-o", out, "-m", tiny_bundle).code == 0
    assert list(read(out)) == expected


def test_texts_cut_for_the_model_are_said(novelink, tiny_bundle, tmp_path, document_maker):
    words = " ".join(f"w{number} g1 g2" for number in range(80))
    long = document_maker(
        "1", "Long", words, {"g1": ("GeneOrGeneProduct", "1"), "g2": ("GeneOrGeneProduct", "2")}
    )
    write([long], tmp_path / "long.jsonl")
    outcome = novelink("extract", tmp_path / "long.jsonl", "-o", "-", "-m", tiny_bundle)
    assert "1 document longer than the model's 128 tokens: for 1 pair only the text" in outcome.err
    assert "mentions and" in outcome.err


def test_bad_input_is_one_line_exit_code_1_and_no_file(novelink, source, tiny_bundle, tmp_path):
    lines = source.read_text().splitlines(keepends=True)
    lines[2] = lines[2].replace("\t8\t", "\t9\t")
    source.write_text("".join(lines))
    out = tmp_path / "found.jsonl"
    out.write_text("what was there before\n")
    outcome = novelink("extract", source, "-o", out, "-m", tiny_bundle)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(f"novelink: {source}:3: ")
    assert outcome.err.count("\n") == 1
    assert out.read_text() == "what was there before\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["abstracts.pubtator", "found.jsonl"]
    lenient = novelink("extract", source, "-o", out, "-m", tiny_bundle, "--lenient")
    assert lenient.code == 0
    assert "1 document skipped" in lenient.err
    assert [document.id for document in read(out)] == ["102", "103", "104", "105", "106"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["missing.pubtator"], 1, "missing.pubtator: no such file"),
        (["{source}", "-m", "no-such-model"], 1, "there is no model 'no-such-model'"),
        (["{source}", "--from", "klingon"], 2, "'klingon' is not one of"),
        (["{source}", "--to", "klingon"], 2, "'klingon' is not one of"),
        (["{source}", "-o", "{folder}/found.what"], 2, "does not tell the format to write"),
        (["{source}", "-o", "{folder}/no/found.jsonl"], 1, "its folder does not exist"),
        (["{source}", "--min-score", "1.5"], 2, "--min-score"),
        (["{source}", "--threads", "0"], 2, "--threads"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(request, tmp_path, arguments, code, message):
    novelink, source, tiny_bundle = map(
        request.getfixturevalue, ("novelink", "source", "tiny_bundle")
    )
    filled = [part.format(source=source, folder=tmp_path) for part in arguments]
    if "-m" not in filled:
        filled += ["-m", str(tiny_bundle)]
    outcome = novelink("extract", *filled)
    assert (outcome.code, outcome.out) == (code, "")
    last = outcome.err.splitlines()[-1]
    assert message in last
    assert outcome.err.count("\n") == 1 or outcome.err.startswith("Usage:")


def test_a_changed_model_is_refused(novelink, source, tiny_bundle, tmp_path):
    folder = shutil.copytree(tiny_bundle, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    config["decision"]["threshold"] = 0.0
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    outcome = novelink("extract", source, "-m", folder)
    assert outcome.code == 1
    assert "differs from the manifest" in outcome.err or "bytes where" in outcome.err


def test_a_schema_file_gives_other_names_of_types(novelink, tiny_bundle, tmp_path):
    text = "1|t|g1 g2\n1|a|b\n1\t0\t2\tg1\tOncogene\t1\n1\t3\t5\tg2\tOncogene\t2\n"
    source = tmp_path / "own.pubtator"
    source.write_text(text)
    plain = novelink("extract", source, "-m", tiny_bundle)
    assert plain.code == 1
    assert "unknown entity type 'Oncogene'" in plain.err
    schema = (
        'name = "own"\nentity_types = ["{0}"]\nrelation_types = ["Bind"]\n'
        '[[pairs]]\ntypes = ["{0}", "{0}"]\nrelations = ["Bind"]\n[aliases]\nOncogene = "{0}"\n'
    )
    own = tmp_path / "own.toml"
    own.write_text(schema.format("GeneOrGeneProduct"))
    arguments = ["extract", source, "-m", tiny_bundle, "--schema", own, "--min-score", 0]
    outcome = novelink(*arguments)
    assert outcome.code == 0
    assert "1 relation among 1 pair of entities in 1 document" in outcome.err
    own.write_text(schema.format("Planet"))
    outcome = novelink(*arguments)
    assert outcome.code == 2
    assert "does not know the entity type 'Planet'" in outcome.err


def test_progress_goes_to_a_terminal_only(monkeypatch, capsys):
    from novelink.cli import progress

    assert list(progress.with_progress(range(3), "documents")) == [0, 1, 2]
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr(progress, "_INTERVAL", 0)
    assert list(progress.with_progress(range(3), "documents")) == [0, 1, 2]
    shown = capsys.readouterr().err
    assert "3 documents, " in shown
    assert shown.endswith("\r\x1b[K")
