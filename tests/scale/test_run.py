"""Runs into a folder: the same documents as the extractor, resumable, faults told and contained."""

from __future__ import annotations

import gzip
import io
import json
import os
from dataclasses import replace
from random import Random

import pytest

from novelink.errors import DataError, ModelError, SettingsError
from novelink.scale.run import run
from novelink.scale.tally import Tally

pytestmark = pytest.mark.usefixtures("in_process")


@pytest.fixture
def archive(tools, tmp_path):
    return tools.archive_of(tmp_path / "in.tar.gz", tools.numbered(23))


def letters(folder, name="_dead-letters.jsonl"):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def test_the_parts_hold_what_the_extractor_gives_in_order(tools, archive, settings, tmp_path):
    report = run(settings(archive))
    documents = tools.numbered(23)
    assert tools.lines_of(tmp_path / "results") == tools.expected(documents)
    found = [json.loads(line) for line in tools.lines_of(tmp_path / "results")]
    relations = [relation for one in found for relation in one.get("relations", ())]
    assert report.tally.documents == 23
    assert report.tally.relations.total() == len(relations) > 20
    assert report.tally.novelty.total() == len(relations)
    assert report.tally.pairs > len(relations)
    assert report.faults == []
    assert report.dead_letters is None
    summary = json.loads((tmp_path / "results/_summary.json").read_text())
    assert summary["documents"] == 23
    assert summary["relations"] == dict(sorted(report.tally.relations.items()))
    assert (summary["files"], summary["files_done"]) == (1, 1)
    assert any("by novelty: " in line for line in report.lines())


@pytest.mark.parametrize("name", ["bioc-xml", "pubtator", "jsonl", "bioc-json"])
def test_every_format_gives_the_same_parts_as_reading_it_plainly(tools, settings, tmp_path, name):
    from novelink.formats import read

    path = tmp_path / f"in.{name.replace('bioc-', '')}"
    path.write_bytes(tools.as_bytes(tools.numbered(12), name))
    run(settings(path))
    assert tools.lines_of(tmp_path / "results") == tools.expected(read(path))


def test_resuming_a_finished_run_reads_nothing_and_changes_nothing(
    tools, archive, settings, tmp_path, monkeypatch
):
    first = run(settings(archive))
    before = tools.files_of(tmp_path / "results")
    monkeypatch.setattr("novelink.scale.plan.blocks_of", None)
    again = run(settings(archive, resume=True))
    assert again.tally == first.tally
    assert again.resumed_blocks == len(before) == 5
    assert tools.files_of(tmp_path / "results") == before


def test_a_second_run_into_the_same_folder_is_refused(archive, settings):
    run(settings(archive))
    with pytest.raises(SettingsError, match=r"already holds a run.*--resume"):
        run(settings(archive))


@pytest.mark.parametrize(
    "change", [{"min_score": 0.1}, {"parts": "parquet"}, {"block_documents": 6}, {"shard": (1, 2)}]
)
def test_other_settings_do_not_mix_with_a_run(archive, settings, change):
    run(settings(archive))
    with pytest.raises(SettingsError, match=r"the run in .* has|divided otherwise"):
        run(settings(archive, resume=True, **change))


def test_more_files_can_join_a_run(tools, archive, settings, tmp_path):
    run(settings(archive))
    more = tmp_path / "more.jsonl"
    documents = tools.numbered(7, first=100)
    more.write_bytes(tools.as_bytes(documents, "jsonl"))
    report = run(settings(archive, more, resume=True))
    assert report.tally.documents == 30
    assert tools.lines_of(tmp_path / "results")[23:] == tools.expected(documents)


def test_a_part_that_is_gone_is_made_again_and_counted_once(tools, archive, settings, tmp_path):
    first = run(settings(archive))
    before = tools.files_of(tmp_path / "results")
    (tmp_path / "results" / list(before)[2]).unlink()
    again = run(settings(archive, resume=True))
    assert tools.files_of(tmp_path / "results") == before
    assert again.tally == first.tally


@pytest.mark.parametrize("kept", range(0, 200, 13))
def test_a_journal_that_was_cut_off_anywhere_loses_and_doubles_nothing(
    tools, archive, settings, tmp_path, kept
):
    first = run(settings(archive))
    before = tools.files_of(tmp_path / "results")
    journal = tmp_path / "results/_novelink/journal.jsonl"
    size = journal.stat().st_size
    os.truncate(journal, size * kept // 200)
    # As a crash right after a part was renamed, or in the middle of writing one, leaves it.
    (tmp_path / "results" / next(iter(before))).with_name(".x.tmp").touch()
    again = run(settings(archive, resume=True))
    assert tools.files_of(tmp_path / "results") == before
    assert again.tally == first.tally


def test_leftovers_of_a_killed_run_are_cleared_away(archive, settings, tmp_path):
    run(settings(archive))
    left = tmp_path / "results/source=in.tar.gz/.part-000000.jsonl.gz.0a1b2c3d.tmp"
    left.write_bytes(b"half")
    young = left.with_name(".part-000001.jsonl.gz.0a1b2c3d.tmp")
    young.write_bytes(b"another shard may be writing this one")
    os.utime(left, (1, 1))
    run(settings(archive, resume=True))
    assert not left.exists()
    assert young.exists()


def test_a_file_that_changed_under_a_run_is_refused(tools, settings, tmp_path):
    path = tmp_path / "in.jsonl"
    data = tools.as_bytes(tools.numbered(9), "jsonl")
    path.write_bytes(data)
    run(settings(path))
    path.write_bytes(data.replace(b"gutter", b"Gutter", 1))
    with pytest.raises(DataError, match="has changed since the run began"):
        run(settings(path, resume=True))


def test_shards_together_are_the_whole(tools, archive, settings, tmp_path):
    small = []
    for number in range(6):
        small.append(tmp_path / f"small{number}.jsonl")
        documents = tools.numbered(3, first=100 + 10 * number)
        small[-1].write_bytes(tools.as_bytes(documents, "jsonl"))
    inputs = [archive, *small]
    whole = run(settings(*inputs, output=tmp_path / "whole"))
    total = Tally()
    for share in (3, 1, 2):
        total.add(run(settings(*inputs, output=tmp_path / "shared", shard=(share, 3))).tally)
    assert tools.files_of(tmp_path / "shared") == tools.files_of(tmp_path / "whole")
    assert total == whole.tally
    # Each is a run of its own to resume.
    again = run(settings(*inputs, output=tmp_path / "shared", shard=(2, 3), resume=True))
    assert again.resumed_blocks > 0
    assert sorted(path.name for path in (tmp_path / "shared").glob("_summary*")) == [
        f"_summary-{share}-of-3.json" for share in (1, 2, 3)
    ]


def test_a_bad_document_becomes_a_dead_letter_and_its_neighbours_do_not(tools, settings, tmp_path):
    documents = tools.numbered(9)
    data = tools.as_bytes(documents).decode()
    # One with wrong offsets, one that is no XML.
    data = data.replace('offset="8"', 'offset="9"', 1)
    broken = data.index("<id>1004</id>")
    data = f"{data[:broken]}<oops>{data[broken:]}"
    path = tools.pack(tmp_path / "in.tar", {"m/a.xml": data.encode()})
    report = run(settings(path))
    kept = [document for number, document in enumerate(documents) if number not in {0, 4}]
    assert tools.lines_of(tmp_path / "results") == tools.expected(kept)
    assert (report.tally.documents, report.tally.failed) == (7, 2)
    first, second = letters(tmp_path / "results")
    assert (first["document"], first["number"], first["member"]) == ("1000", 0, "m/a.xml")
    assert "the text there is" in first["reason"]
    assert (second["document"], second["source"]) == ("1004", "in.tar")
    lines = data.splitlines()
    for letter in (first, second):
        # The line is one of the whole member, as an editor shows it.
        assert letter["reason"].startswith(f"{path}:m/a.xml:{letter['line']}: ")
    assert lines[first["line"] - 1].startswith("<document><id>1000</id>")
    assert lines[second["line"] - 1].startswith("</document>")
    assert (
        "<id>1004</id>" in "".join(lines[: second["line"]]).rpartition("</document><document>")[2]
    )
    assert "7 documents" in report.lines()[0]
    assert any("2 documents failed" in line for line in report.lines())
    # A dead letter can be mended and read: it holds the document as it came.
    mended = second["raw"].replace("<oops>", "")
    again = tmp_path / "again.xml"
    again.write_text(f"<collection>{mended}</collection>", encoding="utf-8")
    run(settings(again, output=tmp_path / "again"))
    assert tools.lines_of(tmp_path / "again") == tools.expected([documents[4]])


def test_one_document_that_the_model_fails_on_costs_no_other(
    tools, archive, settings, tmp_path, monkeypatch
):
    from novelink.extractor import Extractor

    plain = Extractor.extract

    def failing(self, documents, **others):
        documents = list(documents)
        if any(document.id == "1007" for document in documents):
            raise ModelError("the model gave something that is not a number")
        return plain(self, documents, **others)

    documents = tools.numbered(23)
    wanted = tools.expected([document for document in documents if document.id != "1007"])
    monkeypatch.setattr(Extractor, "extract", failing)
    report = run(settings(archive))
    assert tools.lines_of(tmp_path / "results") == wanted
    assert report.tally.reasons == {"the model gave something that is not a number": 1}
    assert letters(tmp_path / "results")[0]["document"] == "1007"


def test_when_most_documents_fail_the_run_stops_and_says_why(tools, settings, tmp_path):
    data = tools.as_bytes(tools.numbered(12), "pubtator")
    path = tmp_path / "in.pubtator"
    path.write_bytes(data.replace(b"GeneOrGeneProduct", b"Oncogene"))
    with pytest.raises(
        DataError, match=r"6 of 12 documents failed, .*unknown entity type"
    ) as caught:
        run(settings(path, max_failed=0.2))
    assert "--max-failed" in str(caught.value)
    report = run(settings(path, resume=True))
    assert (report.tally.documents, report.tally.failed) == (6, 6)


def test_a_corrupt_archive_in_the_middle_costs_nothing_before_or_after_it(
    tools, settings, tmp_path
):
    random = Random(3)
    documents = [
        # Text that does not compress away, so that a cut file holds some of it.
        replace(document, infons=(("note", random.randbytes(2000).hex()),))
        for document in tools.numbered(36)
    ]
    folder = tmp_path / "in"
    folder.mkdir()
    for number, name in enumerate("abc"):
        tools.archive_of(
            folder / f"{name}.tar.gz", documents[12 * number : 12 * number + 12], each=2
        )
    whole = (folder / "b.tar.gz").read_bytes()
    run(settings(folder, output=tmp_path / "unbroken"))
    (folder / "b.tar.gz").write_bytes(whole[: len(whole) * 2 // 3])
    report = run(settings(folder))
    assert len(report.faults) == 1
    assert "b.tar.gz: the gzip file is cut off" in report.faults[0]
    ids = tools.ids_of(tmp_path / "results")
    assert ids[:12] == [str(1000 + number) for number in range(12)]
    assert ids[-12:] == [str(1024 + number) for number in range(12)]
    between = ids[12:-12]
    assert between == [str(1012 + number) for number in range(len(between))]
    assert 0 < len(between) < 12
    (letter,) = letters(tmp_path / "results")
    assert (letter["source"], letter["document"]) == ("b.tar.gz", None)
    # Fetched again, the run goes on and ends as if nothing had been.
    (folder / "b.tar.gz").write_bytes(whole)
    again = run(settings(folder, resume=True))
    assert again.faults == []
    assert again.dead_letters is None
    assert not (tmp_path / "results/_dead-letters.jsonl").exists()
    assert tools.files_of(tmp_path / "results") == tools.files_of(tmp_path / "unbroken")
    assert again.tally.documents == 36


def test_a_mended_archive_may_become_shorter(tools, settings, tmp_path):
    """A member that breaks off leaves documents that the right file does not have there."""
    good = tools.as_bytes(tools.numbered(4))
    long = tools.as_bytes(tools.numbered(14))
    path = tools.pack(tmp_path / "in.tar", {"a.xml": long.replace(b"</collection>", b"")})
    report = run(settings(path))
    assert report.tally.documents == 14
    assert len(report.faults) == 1
    tools.pack(path, {"a.xml": good})
    with pytest.raises(DataError, match="has changed since the run began"):
        run(settings(path, resume=True))


def test_members_without_documents_are_counted_not_feared(
    tools, small_documents, settings, tmp_path
):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(tools.as_bytes(small_documents, "jsonl"))
    (folder / "README.txt").write_text("About these files.\n")
    (folder / "checksums").write_text("12af a.jsonl\n")
    report = run(settings(folder))
    assert report.faults == []
    assert report.tally.notes["files of no format with documents, left out"] == 2
    assert report.tally.notes["documents that came without any entity"] == 1
    with pytest.raises(DataError, match="documents failed"):
        run(settings(folder / "README.txt", output=tmp_path / "other", format="jsonl"))


def test_parquet_parts_have_a_row_per_relation_and_the_documented_columns(
    tools, archive, settings, tmp_path
):
    import pyarrow.parquet as pq

    from novelink.exports.table import table_rows
    from novelink.formats import read
    from novelink.scale.relation_rows import schema

    run(settings(archive, parts="parquet"))
    tables = [
        pq.ParquetFile(path).read()
        for path in sorted((tmp_path / "results").glob("source=*/*.parquet"))
    ]
    rows = [row for table in tables for row in table.to_pylist()]
    assert all(table.schema.equals(schema("tiny")) for table in tables)
    lines = "\n".join(tools.expected(tools.numbered(23)))
    documents = list(read(io.StringIO(lines), "jsonl"))
    flat = [row for document in documents for row in table_rows(document)]
    assert [
        (
            row["document"],
            row["entity1"]["id"],
            row["entity1"]["name"],
            row["entity1"]["type"],
            row["entity1"]["curie"],
            row["entity2"]["id"],
            row["relation"],
            row["novelty"],
            row["score"],
            row["novelty_score"],
        )
        for row in rows
    ] == [
        (
            row["document"],
            row["id1"],
            row["name1"],
            row["type1"],
            row["curie1"],
            row["id2"],
            row["relation"],
            row["novelty"],
            row["score"],
            row["novelty_score"],
        )
        for row in flat
    ]
    texts = {document.id: document.text for document in documents}
    for row in rows:
        assert row["year"] == 1990 + (int(row["document"]) - 1000) % 30
        assert row["member"] == f"out/{(int(row['document']) - 1000) // 4}.BioC.XML"
        for mention in row["entity1"]["mentions"]:
            text = texts[row["document"]]
            assert text[mention["start"] : mention["end"]] == mention["text"]
        assert row["entity1"]["mentions"]


def test_evidence_goes_into_parquet_with_its_sentence(small_documents):
    from novelink.document import Evidence, Relation
    from novelink.scale.relation_rows import relation_rows

    document = small_documents[0]
    end = document.passages[0].end
    relation = Relation(
        "9901", "D990001", "Association", evidence=(Evidence(0, end, 0.75),), subject="9901"
    )
    (row,) = relation_rows(document.with_relations([relation]), "")
    assert row["evidence"] == [
        {"start": 0, "end": end, "weight": 0.75, "text": document.passages[0].text}
    ]
    assert (row["subject"], row["member"], row["year"]) == ("9901", None, None)


@pytest.mark.parametrize(
    ("infons", "passage_infons", "year"),
    [
        ((("year", "2004"),), (), 2004),
        ((), (("year", "2005"),), 2005),
        ((), (("journal", "J Examp Med; 2007 Mar 4; 12 (3) 45-67."),), 2007),
        ((), (("journal", "Annals of 1999"),), None),
        ((("year", "soon"),), (), None),
    ],
)
def test_the_year_comes_from_what_pubtator_gives(small_documents, infons, passage_infons, year):
    from novelink.scale.relation_rows import publication_year

    first, *rest = small_documents[0].passages
    document = replace(
        small_documents[0],
        infons=infons,
        passages=(replace(first, infons=passage_infons), *rest),
    )
    assert publication_year(document) == year


def test_evidence_of_a_model_that_has_none_stops_the_run_at_once(archive, settings, tmp_path):
    with pytest.raises(ModelError, match="gives no evidence"):
        run(settings(archive, evidence=True))
    assert not list((tmp_path / "results").glob("source=*"))


def test_a_set_of_models_runs_like_one(tools, archive, settings, tiny_bundle, tmp_path):
    from novelink import Extractor
    from novelink.runtime.model_set import write_model_set

    write_model_set(tmp_path / "set", [tiny_bundle], name="alone")
    run(settings(archive, model=str(tmp_path / "set")))
    found = Extractor.load(tmp_path / "set", threads=1).extract(tools.numbered(23))
    lines = tools.as_bytes(found, "jsonl").decode().splitlines()
    assert tools.lines_of(tmp_path / "results") == lines


def test_two_runs_cannot_write_one_folder_at_once(archive, settings, tmp_path):
    from filelock import FileLock

    (tmp_path / "results/_novelink").mkdir(parents=True)
    with (
        FileLock(tmp_path / "results/_novelink/journal.lock"),
        pytest.raises(SettingsError, match="another run is writing"),
    ):
        run(settings(archive))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shard": (0, 4)}, "shard 0/4 does not exist"),
        ({"shard": (5, 4)}, "shard 5/4 does not exist"),
        ({"parts": "csv"}, "cannot write 'csv'"),
        ({"engine": "spark"}, "no engine 'spark'"),
        ({"address": "auto"}, "for the engine ray"),
        ({"workers": 0}, "1 or more"),
        ({"min_score": 2}, "not within 0–1"),
    ],
)
def test_settings_that_cannot_be_are_refused(archive, settings, change, message):
    with pytest.raises(SettingsError, match=message):
        run(settings(archive, **change))


def test_a_gzip_part_has_no_time_in_it(tools, archive, settings, tmp_path):
    run(settings(archive))
    for data in tools.files_of(tmp_path / "results").values():
        assert data[4:8] == bytes(4)
        assert gzip.decompress(data)
