"""``novelink annotate`` and ``extract`` on ids and texts, against a local server."""

from __future__ import annotations

import io
from functools import partial

import pytest
from ncbi_server import ABSTRACT, BLOCKED, TITLE, Answer, NcbiServer

from command_line import run_command
from novelink import read
from novelink.annotate.offline import OfflineTagger


@pytest.fixture
def novelink(capsys):
    """Run ``novelink ARGUMENTS`` and give exit code, stdout and stderr."""

    return partial(run_command, capsys)


@pytest.fixture
def ncbi(monkeypatch, tmp_path):
    """The local server where the command line finds NCBI, and a cache of our own."""
    with NcbiServer() as server:
        monkeypatch.setenv("NOVELINK_PUBTATOR_URL", f"{server.url}/pubtator3-api")
        monkeypatch.setenv("NOVELINK_PUBTATOR_TEXT_URL", f"{server.url}/RESTful")
        monkeypatch.setenv("NOVELINK_EUTILS_URL", f"{server.url}/eutils")
        monkeypatch.setenv("NOVELINK_CACHE", str(tmp_path / "cache"))
        monkeypatch.chdir(tmp_path)
        yield server


def documents(outcome, name="jsonl"):
    return list(read(io.BytesIO(outcome.out.encode()), name))


def test_papers_by_id_are_written_with_entities_only(novelink, ncbi):
    outcome = novelink("annotate", "24259561", "PMC7", "PMID:100")
    assert outcome.code == 0
    found = documents(outcome)
    assert [one.id for one in found] == ["24259561", "PMC7", "100"]
    assert [len(one.mentions) for one in found] == [6, 1, 6]
    assert all(one.relations == () for one in found)
    assert "entities from PubTator 3 (3 documents)" in outcome.err
    assert "types outside the schema left out: Strain 2" in outcome.err


def test_relations_of_papers_by_id(novelink, ncbi, tiny_bundle, tmp_path):
    out = tmp_path / "found.pubtator"
    outcome = novelink("extract", "24259561", "-o", out, "-m", tiny_bundle, "--min-score", "0")
    assert outcome.code == 0, outcome.err
    (document,) = read(out)
    assert document.text == f"{TITLE} {ABSTRACT}"
    assert document.relations
    assert all(relation.novelty for relation in document.relations)
    assert "entities from PubTator 3 (1 document)" in outcome.err


def test_an_id_that_fails_is_named_and_the_rest_is_written(novelink, ncbi, tmp_path):
    out = tmp_path / "found.jsonl"
    outcome = novelink("annotate", "100", "555", "-o", out)
    assert outcome.code == 1
    assert [one.id for one in read(out)] == ["100"]
    assert "novelink: 1 document left out:" in outcome.err
    assert "555: PubTator 3 does not have this paper" in outcome.err


def test_a_list_of_ids_in_a_file_and_on_standard_input(novelink, ncbi, tmp_path, monkeypatch):
    (tmp_path / "mine").write_text("100\nPMC7\n")
    assert [one.id for one in documents(novelink("annotate", "mine"))] == ["100", "PMC7"]
    stdin = io.TextIOWrapper(io.BytesIO(b"101\n"), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", stdin)
    assert [one.id for one in documents(novelink("annotate", "-"))] == ["101"]


def test_a_file_named_like_an_id_is_a_file(novelink, ncbi, tmp_path):
    (tmp_path / "100").write_text("1|t|BRAF.\n1|a|It is.\n1\t0\t4\tBRAF\tGene\t673\n")
    outcome = novelink("annotate", "100")
    assert [one.id for one in documents(outcome)] == ["1"]
    assert ncbi.requests == []


def test_texts_files_and_ids_come_out_in_the_order_they_went_in(
    novelink, ncbi, tmp_path, monkeypatch
):
    monkeypatch.setattr(OfflineTagger, "is_there", lambda _: True)
    monkeypatch.setattr(OfflineTagger, "annotate", lambda _, documents: iter(documents))
    (tmp_path / "notes.txt").write_text("BRAF is here.\nIt is.\n\nAnother BRAF. Text.\n")
    outcome = novelink("annotate", "100", "notes.txt", "PMC7")
    assert outcome.code == 0, outcome.err
    assert [one.id for one in documents(outcome)] == ["100", "notes-1", "notes-2", "PMC7"]
    assert "entities from PubTator 3 (2 documents), the offline tagger (2 documents)" in outcome.err


def test_a_file_with_entities_and_one_without_can_be_given_together(
    novelink, ncbi, tmp_path, monkeypatch
):
    (tmp_path / "a.pubtator").write_text(
        "1|t|BRAF.\n1|a|It is.\n1\t0\t4\tBRAF\tGene\t673\n\n2|t|KRAS.\n2|a|It is.\n"
    )
    (tmp_path / "b.txt").write_text("BRAF is here.")
    monkeypatch.setattr(OfflineTagger, "is_there", lambda _: False)
    outcome = novelink("annotate", "a.pubtator")
    assert outcome.code == 0
    assert [len(one.mentions) for one in documents(outcome)] == [1, 0]
    outcome = novelink("annotate", "a.pubtator", "b.txt", "-o", "out.jsonl")
    assert outcome.code == 1
    assert "no offline tagger" in outcome.err
    assert not (tmp_path / "out.jsonl").exists()


def test_refresh_asks_again_and_cache_off_keeps_nothing(novelink, ncbi, tmp_path):
    for arguments, calls in (((), 1), ((), 1), (("--refresh",), 2), (("--cache", "off"), 3)):
        assert novelink("annotate", "100", *arguments).code == 0
        assert len(ncbi.requests) == calls
    novelink("annotate", "100", "--cache", tmp_path / "other")
    assert (tmp_path / "other" / "pubtator3.sqlite").exists()


def test_the_blocked_page_is_said_and_nothing_of_it_written(novelink, ncbi, tmp_path):
    ncbi.script.append(Answer(200, BLOCKED))
    outcome = novelink("annotate", "100", "-o", tmp_path / "out.jsonl")
    assert outcome.code == 1
    assert "NCBI blocks requests from this address" in outcome.err
    assert list(read(tmp_path / "out.jsonl")) == []


def test_an_address_that_is_none_is_wrong_usage(novelink, ncbi, monkeypatch):
    monkeypatch.setenv("NOVELINK_PUBTATOR_URL", "nonsense")
    outcome = novelink("annotate", "100")
    assert outcome.code == 2
    assert "NOVELINK_PUBTATOR_URL" in outcome.err


def test_given_refuses_bare_ids(novelink, ncbi):
    outcome = novelink("annotate", "100", "--annotator", "given")
    assert outcome.code == 2
    assert "is only an id" in outcome.err


def test_text_on_standard_input_to_relations_without_any_network(
    novelink, ncbi, tiny_bundle, monkeypatch
):
    text = "BRAF V600E in melanoma. Vemurafenib inhibits BRAF in patients with melanoma."
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))
    outcome = novelink("extract", "-", "--to", "jsonl", "-m", tiny_bundle, "--min-score", "0")
    assert outcome.code == 0, outcome.err
    (document,) = documents(outcome)
    assert {"BRAF", "melanoma"} <= {mention.text for mention in document.mentions}
    assert document.relations
    assert ncbi.requests == []
    assert "entities from the offline tagger (1 document)" in outcome.err


def test_known_only_without_a_lexicon_is_wrong_usage(novelink, monkeypatch):
    monkeypatch.delenv("NOVELINK_LEXICON", raising=False)
    outcome = novelink("annotate", "notes.txt", "--known-only")
    assert outcome.code == 2
    assert "--lexicon" in outcome.err
