"""``novelink convert``: what it prints where, and its exit codes."""

from __future__ import annotations

import gzip
import io
import sys

import pytest

from command_line import run_command
from novelink.formats import read

TEXT = (
    "1|t|BRCA1 in cancer.\n1|a|\n1\t0\t5\tBRCA1\tGene\t672\n"
    "1\t9\t15\tcancer\tDisease\tMESH:D009369\n"
    "1\tAssociation\t672\tMESH:D009369\tNovel\n1\t672\tMESH:D009369\tSubject:672\n\n"
)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "in.pubtator"
    path.write_text(TEXT)
    return path


@pytest.mark.parametrize("to", ["pubtator", "bioc-xml", "bioc-json", "jsonl"])
def test_the_same_through_files_and_pipes(to, source, tmp_path, capsys, monkeypatch):
    """Results on stdout and in the file are the same bytes; all else is on stderr."""
    target = tmp_path / "out"
    code, out, err = run_command(capsys, "convert", source, "-o", target, "--to", to)
    assert (code, out) == (0, "")
    assert err.splitlines()[0] == "novelink: relation lines by dialect: BioRED 1, direction 1"
    assert err.splitlines()[-1] == f"novelink: 1 document written to {target} ({to})"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode()), encoding="utf-8"))
    code, out, err = run_command(capsys, "convert", "-", "--to", to)
    assert code == 0
    assert out == target.read_text()
    assert err.splitlines()[-1] == f"novelink: 1 document written to standard output ({to})"


def test_what_a_format_cannot_hold_is_said(source, tmp_path, capsys):
    _, _, err = run_command(capsys, "convert", source, "-o", tmp_path / "out.pubtator")
    assert "novelink: not held by this format, relation subjects: 1\n" in err
    _, _, err = run_command(
        capsys, "convert", source, "-o", tmp_path / "out.pubtator", "--subjects"
    )
    assert "not held" not in err
    assert "Subject:672" in (tmp_path / "out.pubtator").read_text()


def test_several_inputs_are_joined_in_order(source, tmp_path, capsys):
    second = tmp_path / "b.pubtator.gz"
    second.write_bytes(gzip.compress(TEXT.replace("1|", "2|").replace("1\t", "2\t", 99).encode()))
    second.write_bytes(gzip.compress(b"2|t|B.\n2|a|\n"))
    code, _, _ = run_command(capsys, "convert", source, second, "-o", tmp_path / "out.jsonl.gz")
    assert code == 0
    assert [document.id for document in read(tmp_path / "out.jsonl.gz")] == ["1", "2"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing argument"),
        (["in"], "standard output does not tell the format to write"),
        (["in", "-o", "x.dat"], "does not tell the format to write"),
        (["in", "--to", "word"], "'word' is not one of 'pubtator'"),
        (["in", "--from", "kgx", "--to", "jsonl"], "'kgx' is not one of"),
        (["in", "--to", "jsonl", "--subjects"], "--subjects is for --to pubtator"),
        (["in", "--to", "jsonl", "--schema", "none.toml"], "cannot read the schema"),
    ],
)
def test_wrong_usage_exits_with_2(arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run_command(capsys, "convert", *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert not list(tmp_path.iterdir())


def test_a_schema_file_brings_other_types(tmp_path, capsys):
    (tmp_path / "cdr.toml").write_text(
        'name = "cdr"\nentity_types = ["Chemical", "Disease"]\nrelation_types = ["CID"]\n'
        'has_novelty = false\n[[pairs]]\ntypes = ["Chemical", "Disease"]\nrelations = ["CID"]\n'
    )
    path = tmp_path / "cdr.txt"
    path.write_text("1|t|Aspirin.\n1|a|\n1\t0\t7\tAspirin\tChemical\tD1\n1\tCID\tD1\tD2\n")
    code, _, err = run_command(capsys, "convert", path, "--to", "jsonl")
    assert code == 1
    assert "unknown relation type 'CID'" in err
    code, out, _ = run_command(
        capsys, "convert", path, "--to", "pubtator", "--schema", tmp_path / "cdr.toml"
    )
    assert code == 0
    assert out == path.read_text() + "\n"


def test_help_shows_lines_to_paste(capsys):
    code, out, _ = run_command(capsys, "convert", "--help")
    assert code == 0
    assert "  novelink convert Train.PubTator -o train.json          PubTator to BioC JSON\n" in out
