"""``novelink extract`` over a corpus: what makes it a run, what it says, how it exits."""

from __future__ import annotations

import gzip
import json

import pytest

from novelink.formats import read


@pytest.fixture
def archive(tools, tmp_path):
    return tools.archive_of(tmp_path / "in.tar.gz", tools.numbered(12))


@pytest.mark.usefixtures("in_process")
def test_a_folder_as_output_makes_it_a_run_with_a_summary(
    tools, archive, tiny_bundle, tmp_path, novelink_here
):
    output = f"{tmp_path}/results/"
    code, out, err = novelink_here("extract", archive, "-o", output, "-m", tiny_bundle)
    assert (code, out) == (0, "")
    assert "novelink: 12 documents, " in err
    assert "by type: " in err
    assert "by novelty: " in err
    assert tools.lines_of(tmp_path / "results") == tools.expected(tools.numbered(12))
    code, out, err = novelink_here("extract", archive, "-o", output, "-m", tiny_bundle)
    assert (code, out) == (2, "")
    assert "--resume" in err.splitlines()[-1]
    code, out, err = novelink_here("extract", archive, "-o", output, "-m", tiny_bundle, "--resume")
    assert code == 0
    assert "1 block was done before" in err


@pytest.mark.usefixtures("in_process")
def test_a_corrupt_archive_ends_with_exit_code_1_and_says_which(
    tools, archive, tiny_bundle, tmp_path, novelink_here
):
    bad = tmp_path / "bad.tar.gz"
    bad.write_bytes(archive.read_bytes()[:-20])
    code, out, err = novelink_here(
        "extract", bad, archive, "-o", tmp_path / "results", "-m", tiny_bundle, "--workers", "1"
    )
    assert (code, out) == (1, "")
    assert f"not read to its end: {bad}: the gzip file is cut off" in err
    assert tools.ids_of(tmp_path / "results")[-12:] == [str(1000 + n) for n in range(12)]


@pytest.mark.parametrize("what", ["archive", "folder", "pattern"])
def test_a_corpus_can_be_read_into_one_file_too(tools, tiny_bundle, tmp_path, novelink_here, what):
    folder = tmp_path / "in"
    folder.mkdir()
    archive = tools.archive_of(folder / "a.tar.gz", tools.numbered(12))
    (folder / "b.jsonl.gz").write_bytes(
        gzip.compress(tools.as_bytes(tools.numbered(3, 12), "jsonl"))
    )
    (folder / "README").write_text("Not a document.\n")
    given = {"archive": archive, "folder": folder, "pattern": f"{folder}/*"}[what]
    out = tmp_path / "found.jsonl"
    code, _, err = novelink_here("extract", given, "-o", out, "-m", tiny_bundle)
    assert code == 0
    documents = tools.numbered(12 if what == "archive" else 15)
    assert out.read_text().splitlines() == tools.expected(documents)
    assert ("files of no known format, left out: 1" in err) == (what != "archive")


def test_a_cut_archive_read_into_one_file_is_one_line_and_no_file(
    tools, tiny_bundle, tmp_path, novelink_here
):
    archive = tools.archive_of(tmp_path / "a.tar", tools.numbered(12))
    archive.write_bytes(archive.read_bytes()[:9000])
    out = tmp_path / "found.jsonl"
    code, _, err = novelink_here("extract", archive, "-o", out, "-m", tiny_bundle)
    assert code == 1
    assert err.count("\n") == 1
    assert "the archive is damaged" in err
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--workers", "2"], 2, "name one, as -o results/"),
        (["--resume", "-o", "found.jsonl"], 2, "name one, as -o results/"),
        (["-o", "{out}/", "--shard", "5/4"], 2, "of four, write 1/4"),
        (["-o", "{out}/", "--shard", "a"], 2, "of four, write 1/4"),
        (["-o", "{out}/", "--to", "kgx"], 2, "writes --to jsonl or --to parquet, not kgx"),
        (["-o", "{out}/", "--annotator", "offline"], 2, "novelink annotate"),
        (["-o", "{out}/", "--threads", "2"], 2, "give the number of --workers"),
        (["-o", "{out}/", "--full-text"], 2, "--full-text has no meaning"),
        (["-o", "{out}/", "--address", "auto"], 2, "Add --engine ray"),
        (["-o", "{out}/", "-m", "no-such-model"], 1, "there is no model"),
        (["-o", "gopher://x/y/"], 2, "fsspec knows"),
    ],
)
def test_what_cannot_be_is_said(request, tmp_path, arguments, code, message):
    archive, novelink_here, tiny_bundle = map(
        request.getfixturevalue, ("archive", "novelink_here", "tiny_bundle")
    )
    filled = [part.format(out=tmp_path / "results") for part in arguments]
    if "-m" not in filled:
        filled += ["-m", str(tiny_bundle)]
    found, out, err = novelink_here("extract", archive, *filled)
    assert (found, out) == (code, "")
    assert message in err
    assert not (tmp_path / "results").exists()


@pytest.mark.usefixtures("in_process")
def test_a_user_schema_counts_in_a_run_too(tiny_bundle, tmp_path, novelink_here):
    source = tmp_path / "own.pubtator"
    source.write_text("1|t|g1 g2\n1|a|b\n1\t0\t2\tg1\tOncogene\t1\n1\t3\t5\tg2\tOncogene\t2\n")
    schema = tmp_path / "own.toml"
    text = (
        'name = "own"\nentity_types = ["{0}"]\nrelation_types = ["Bind"]\n'
        '[[pairs]]\ntypes = ["{0}", "{0}"]\nrelations = ["Bind"]\n[aliases]\nOncogene = "{0}"\n'
    )
    arguments = ["extract", source, "-m", tiny_bundle, "--schema", schema, "--min-score", "0"]
    schema.write_text(text.format("GeneOrGeneProduct"))
    code, _, err = novelink_here(*arguments, "-o", f"{tmp_path}/results/")
    assert code == 0, err
    assert "1 document, 1 pair of entities, 1 relation" in err
    schema.write_text(text.format("Planet"))
    code, _, err = novelink_here(*arguments, "-o", f"{tmp_path}/other/")
    assert code == 2
    assert "does not know the entity type 'Planet'" in err


def test_dead_letters_are_named_at_the_end(tools, tiny_bundle, tmp_path, novelink_here, in_process):
    path = tmp_path / "in.jsonl"
    data = tools.as_bytes(tools.numbered(5), "jsonl")
    path.write_bytes(data.replace(b'"start":8', b'"start":9', 1))
    code, _, err = novelink_here("extract", path, "-o", f"{tmp_path}/out/", "-m", tiny_bundle)
    assert code == 0
    assert "1 document failed, now dead letters:" in err
    assert f"{tmp_path}/out/_dead-letters.jsonl" in err
    letter = json.loads((tmp_path / "out/_dead-letters.jsonl").read_text())
    assert letter["line"] == 1
    # Its raw text is the line as it was: mended, it can be read again.
    mended = tmp_path / "mended.jsonl"
    mended.write_text(letter["raw"].replace('"start":9', '"start":8', 1))
    assert [document.id for document in read(mended)] == ["1000"]
