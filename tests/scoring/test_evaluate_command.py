"""``novelink evaluate`` as a user runs it."""

from __future__ import annotations

import gzip
import json

import pytest
from click.testing import CliRunner
from scoring_documents import document

from novelink import DataError, SettingsError, score, write
from novelink.cli.evaluate import command

GOLD = """\
1|t|Aspirin | COX2.
1|a|Aspirin blocks COX2.
1	0	7	Aspirin	ChemicalEntity	D001241
1	10	14	COX2	GeneOrGeneProduct	5743
1	Negative_Correlation	D001241	5743	No

2|t|BRAF V600E.
2|a|Melanoma with V600E.
2	0	4	BRAF	GeneOrGeneProduct	673
2	5	10	V600E	SequenceVariant	p|SUB|V|600|E
2	12	20	Melanoma	DiseaseOrPhenotypicFeature	D008545
2	Association	D008545	p|SUB|V|600|E	Novel
"""


@pytest.fixture
def gold(tmp_path):
    path = tmp_path / "gold.pubtator"
    path.write_text(GOLD, encoding="utf-8")
    return path


def run(*arguments, **options):
    return CliRunner().invoke(command, list(map(str, arguments)), **options)


def figures(*arguments, **options):
    result = run("--json", *arguments, **options)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_the_json_holds_the_four_levels_as_fractions(gold):
    data = figures(gold, gold)
    for level in ("pair", "type", "novelty", "all"):
        assert data[level] == {
            "precision": 1.0,
            "recall": 1.0,
            "f1": 1.0,
            "tp": 2,
            "fp": 0,
            "fn": 0,
        }
    assert data["documents"]["gold"] == data["documents"]["predicted"] == 2
    assert data["documents"]["missing"] == data["documents"]["extra"] == 0
    assert data["gold_outside_candidates"] == 0
    assert data["schema"] == "biored"
    assert data["options"]["compat"] is False


def test_the_table_goes_to_stdout_and_warnings_go_to_stderr(gold, tmp_path):
    half = tmp_path / "half.pubtator"
    half.write_text(GOLD.split("\n\n", maxsplit=1)[0] + "\n\n", encoding="utf-8")
    result = run(gold, half)
    assert result.exit_code == 0
    assert result.stdout.startswith("level")
    assert "count as missed (2)" in result.stderr
    assert "count as missed" not in result.stdout


def test_compat_changes_what_a_missing_document_costs(gold, tmp_path):
    half = tmp_path / "half.pubtator"
    half.write_text(GOLD.split("\n\n", maxsplit=1)[0] + "\n", encoding="utf-8")
    assert figures(gold, half)["all"]["recall"] == 0.5
    assert figures(gold, half, "--compat")["all"]["recall"] == 1.0


def test_two_blank_lines_do_not_erase_the_document_before(gold, tmp_path):
    """Trap 2."""
    loose = tmp_path / "loose.pubtator"
    loose.write_text(GOLD.replace("\n\n", "\n\n\n"), encoding="utf-8")
    assert figures(gold, loose)["all"]["tp"] == 2


@pytest.mark.parametrize(
    "text",
    [GOLD.rstrip("\n"), GOLD + "\n\n", GOLD.replace("\n", "\r\n")],
    ids=["no newline at the end", "blank lines at the end", "CRLF"],
)
def test_line_ends_do_not_matter(gold, tmp_path, text):
    """Trap 5; the title also holds a bar."""
    other = tmp_path / "other.pubtator"
    other.write_bytes(text.encode())
    data = figures(gold, other)
    assert data["all"]["tp"] == 2
    assert data["documents"]["text_differs"] == 0


def test_the_prediction_can_come_from_standard_input_and_packed(gold, tmp_path):
    assert figures(gold, "-", input=GOLD)["all"]["tp"] == 2
    packed = tmp_path / "packed.pubtator.gz"
    packed.write_bytes(gzip.compress(GOLD.encode()))
    assert figures(gold, packed)["all"]["tp"] == 2


def test_both_sides_from_standard_input_is_wrong_usage():
    result = run("-", "-")
    assert result.exit_code == 2
    assert "only one" in result.stderr


def test_files_of_different_formats_are_compared(gold, tmp_path):
    from novelink import read

    for name in ("same.json", "same.xml", "same.jsonl"):
        write(read(gold), tmp_path / name)
        assert figures(gold, tmp_path / name)["all"]["f1"] == 1.0


def test_paths_can_be_given_to_the_function(gold):
    assert score(gold, str(gold))["all"].tp == 2


def test_the_report_is_written_as_one_page(gold, tmp_path):
    page = tmp_path / "report.html"
    result = run(gold, gold, "--report", page)
    assert result.exit_code == 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "report.html" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gold.pubtator", "report.html"]


def test_a_report_that_cannot_be_written_fails_and_leaves_nothing(gold, tmp_path):
    result = run(gold, gold, "--report", tmp_path / "none" / "report.html")
    assert result.exit_code == 1
    assert isinstance(result.exception, DataError)
    assert result.stdout == ""


def test_end_to_end_adds_the_entities(gold):
    data = figures(gold, gold, "--end-to-end")
    assert data["entities"]["recognition"]["tp"] == 5
    assert data["entities"]["normalisation"]["tp"] == 5
    assert "recognition" in run(gold, gold, "--end-to-end").stdout


def test_another_schema_is_read_from_a_file(gold, tmp_path):
    schema = tmp_path / "schema.toml"
    schema.write_text(
        'name = "mini"\nentity_types = ["ChemicalEntity", "GeneOrGeneProduct"]\n'
        'relation_types = ["Negative_Correlation"]\nhas_novelty = false\n'
        'ignored_types = ["SequenceVariant", "DiseaseOrPhenotypicFeature"]\n'
        '[[pairs]]\ntypes = ["ChemicalEntity", "GeneOrGeneProduct"]\n'
        'relations = ["Negative_Correlation"]\n',
        encoding="utf-8",
    )
    only = tmp_path / "only.pubtator"
    only.write_text(GOLD.split("\n\n", maxsplit=1)[0] + "\n", encoding="utf-8")
    data = figures(only, only, "--schema", schema)
    assert data["schema"] == "mini"
    assert data["type"]["tp"] == 1
    assert "all" not in data
    schema.write_text("name = 3", encoding="utf-8")
    assert isinstance(run(gold, gold, "--schema", schema).exception, SettingsError)


def test_a_document_that_occurs_twice_is_an_error_with_its_place(gold, tmp_path):
    twice = tmp_path / "twice.pubtator"
    twice.write_text(GOLD + "\n" + GOLD, encoding="utf-8")
    result = run(gold, twice)
    assert result.exit_code == 1
    assert isinstance(result.exception, DataError)
    assert "1" in str(result.exception)
    assert "twice" in str(result.exception)


def test_lenient_counts_what_it_leaves_out(gold, tmp_path):
    bad = tmp_path / "bad.pubtator"
    bad.write_text(GOLD.replace("\t0\t4\tBRAF", "\t1\t4\tBRAF"), encoding="utf-8")
    assert isinstance(run(gold, bad).exception, DataError)
    result = run(gold, bad, "--lenient")
    assert result.exit_code == 0
    assert "1 document skipped" in result.stderr
    assert "count as missed (2)" in result.stderr


def test_intervals_can_be_left_out(gold):
    data = figures(gold, gold, "--resamples", "0")
    assert data["intervals"]["f1"] == {}
    assert "interval" not in run(gold, gold, "--resamples", "0").stdout


def test_files_of_different_sets_are_met_with_a_question(gold, tmp_path):
    other = tmp_path / "other.jsonl"
    write([document("77", "g1:G d1:D", [("g1", "d1", "Bind", "No")])], other)
    assert "are these two files of one set?" in run(gold, other).stderr
