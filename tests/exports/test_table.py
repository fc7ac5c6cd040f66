"""Relations as TSV, CSV and Parquet."""

from __future__ import annotations

import csv
import io

import pytest
from click.testing import CliRunner

from novelink.cli.convert import command
from novelink.exports.table import COLUMNS
from novelink.formats import open_writer, write


def text_of(documents, name):
    target = io.BytesIO()
    with open_writer(target, name) as writer:
        for document in documents:
            writer.write(document)
    return target.getvalue().decode()


def rows_of(documents, name):
    if name == "csv":
        return list(csv.DictReader(io.StringIO(text_of(documents, name), newline="")))
    lines = text_of(documents, name).splitlines()
    assert all(line.count("\t") == len(COLUMNS) - 1 for line in lines)
    return [dict(zip(COLUMNS, line.split("\t"), strict=True)) for line in lines[1:]]


@pytest.mark.parametrize("name", ["tsv", "csv"])
def test_one_row_per_relation_with_names_types_and_evidence(related, name):
    rows = rows_of(related, name)
    assert len(rows) == sum(len(document.relations) for document in related)
    first = rows[0]
    assert (first["name1"], first["type1"], first["curie1"]) == (
        "ORFX1",
        "GeneOrGeneProduct",
        "NCBIGene:9901",
    )
    assert (first["relation"], first["novelty"], first["score"]) == (
        "Negative_Correlation",
        "Novel",
        "0.9",
    )
    start, end = int(first["evidence_start"]), int(first["evidence_end"])
    assert related[0].text[start:end] == first["evidence"]
    assert first["evidence"].endswith('met "here".')
    assert rows[1]["evidence"] == ""
    # An id that the document never mentions keeps its place.
    assert (rows[-1]["id2"], rows[-1]["name2"], rows[-1]["type2"]) == ("GONE", "GONE", "")


@pytest.mark.parametrize("name", ["tsv", "csv"])
def test_no_documents_give_the_header_alone(name):
    assert rows_of([], name) == []


def test_parquet_holds_the_same_rows_with_types(related, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra 'scale' is not installed")
    write(related, tmp_path / "out.parquet")
    table = parquet.read_table(tmp_path / "out.parquet")
    assert table.column_names == list(COLUMNS)
    assert str(table.schema.field("score").type) == "double"
    rows = table.to_pylist()
    assert [row["relation"] for row in rows] == [row["relation"] for row in rows_of(related, "tsv")]
    assert rows[-1]["score"] is None
    assert rows[-1]["type2"] is None


def test_convert_tells_the_table_from_the_name(related, tmp_path):
    source, target = tmp_path / "in.jsonl", tmp_path / "out.tsv.gz"
    write(related, source)
    result = CliRunner().invoke(command, [str(source), "-o", str(target)])
    assert result.exit_code == 0, result.output
    assert target.read_bytes().startswith(b"\x1f\x8b")
