"""Which annotator a document goes to."""

from dataclasses import replace

import pytest
from ncbi_server import ABSTRACT, TITLE

from novelink.annotate import annotator
from novelink.annotate.chain import BLOCK, Annotator
from novelink.annotate.offline import OfflineTagger
from novelink.annotate.report import GIVEN, OFFLINE, PUBTATOR, PUBTATOR_TEXT
from novelink.document import Document, Mention
from novelink.errors import ModelError, SettingsError
from novelink.formats.article_ids import article_request

GIVEN_MENTION = Mention(0, 4, "BRAF", "GeneOrGeneProduct", ("1",))


class WordTagger(OfflineTagger):
    """A real annotator with a rule in place of a model: every BRAF is a gene."""

    def is_there(self):
        return True

    def load(self):
        self.loaded = True

    def annotate(self, documents):
        for document in documents:
            start = document.text.find("BRAF")
            found = Mention(start, start + 4, "BRAF", "GeneOrGeneProduct", ("text:braf",))
            yield document.with_mentions([found] if start >= 0 else [])


class NoTagger(OfflineTagger):
    def is_there(self):
        return False


def text(name, title="BRAF is here.", *, mentions=(), pmid=None):
    document = Document.from_text(name, title, "And nothing else.", mentions=mentions)
    return replace(document, infons=(("pmid", pmid),)) if pmid else document


def run(name, settings, documents, offline=None):
    with Annotator(name, offline or WordTagger(), settings) as annotate:
        return list(annotate(documents)), annotate.report


def ids_of(documents):
    return {one.id: [mention.concept_ids for mention in one.mentions] for one in documents}


def test_auto_takes_each_document_to_its_own_source(ncbi, settings):
    documents = [
        article_request("100"),
        text("notes"),
        article_request("900"),
        article_request("PMC7"),
    ]
    found, report = run("auto", settings(), documents)
    assert [one.id for one in found] == ["100", "notes", "900", "PMC7"]
    assert report.sources == {PUBTATOR: 2, OFFLINE: 2}
    assert report.texts == 1
    assert found[2].text == "Paper 900. It is new."
    said = "\n".join(report.lines())
    assert "entities from PubTator 3 (2 documents), the offline tagger (2 documents)" in said
    assert "1 document: title and abstract from PubMed" in said


def test_auto_keeps_given_entities_and_does_not_ask_for_them(ncbi, settings):
    found, report = run("auto", settings(), [text("100", mentions=[GIVEN_MENTION]), text("b")])
    assert ids_of(found) == {"100": [("1",)], "b": []}
    assert report.sources == {GIVEN: 2}
    assert ncbi.requests == []


def test_auto_asks_pubtator_for_a_text_whose_reader_knows_its_pmid(ncbi, settings):
    mine = Document.from_text("100", TITLE, f"{ABSTRACT} Abstract of my own.")
    found, report = run("auto", settings(), [replace(mine, infons=(("pmid", "100"),))])
    assert report.sources == {PUBTATOR: 1}
    assert found[0].text == mine.text
    assert [one.text for one in found[0].mentions][:2] == ["BRAF", "V600E"]


def test_auto_does_not_take_another_paper_s_entities(ncbi, settings):
    found, report = run("auto", settings(), [text("100", "Quite another BRAF title.", pmid="100")])
    assert report.sources == {OFFLINE: 1}
    assert ids_of(found) == {"100": [("text:braf",)]}


def test_auto_sends_no_text_that_only_has_a_number_for_a_name(ncbi, settings):
    _, report = run("auto", settings(), [text("100")])
    assert ncbi.requests == []
    assert report.sources == {OFFLINE: 1}


def test_auto_tags_offline_what_pubtator_could_not_give(ncbi, settings):
    down = settings(url="http://127.0.0.1:9", attempts=1)
    found, report = run("auto", down, [text("100", pmid="100")])
    assert ids_of(found) == {"100": [("text:braf",)]}
    assert report.failures == {}
    assert "did not give, tagged offline instead: 1" in "\n".join(report.lines())


def test_a_paper_that_nobody_has_is_left_out_and_named(ncbi, settings):
    found, report = run("auto", settings(), [article_request("555"), article_request("100")])
    assert [one.id for one in found] == ["100"]
    assert "does not have this paper" in report.failures["555"]
    assert "1 document left out:" in report.lines()


def test_without_a_tagger_papers_fail_alone_but_a_text_ends_the_run(ncbi, settings):
    documents = [article_request("900"), article_request("100")]
    found, report = run("auto", settings(), documents, NoTagger())
    assert [one.id for one in found] == ["100"]
    assert set(report.failures) == {"900"}
    with pytest.raises(ModelError, match="no offline tagger"):
        run("auto", settings(), [text("notes")], NoTagger())


def test_pubtator3_goes_by_id_for_papers_and_by_text_for_the_rest(ncbi, settings):
    documents = [article_request("100"), text("notes"), article_request("900"), text("101")]
    found, report = run("pubtator3", settings(), documents, NoTagger())
    assert [one.id for one in found] == ["100", "notes", "900", "101"]
    assert report.sources == {PUBTATOR: 1, PUBTATOR_TEXT: 3}
    assert ids_of(found)["notes"] == [("673",)]


@pytest.mark.parametrize(("name", "expected"), [("pubtator3", "673"), ("offline", "text:braf")])
def test_an_annotator_asked_for_by_name_replaces_given_entities(ncbi, settings, name, expected):
    found, report = run(name, settings(), [text("a", mentions=[GIVEN_MENTION])])
    assert ids_of(found) == {"a": [(expected,)]}
    assert "own entities were replaced: 1" in "\n".join(report.lines())


def test_offline_fetches_only_texts(ncbi, settings):
    documents = [article_request("900"), article_request("PMC7"), article_request("555")]
    found, report = run("offline", settings(), documents)
    assert ids_of(found) == {"900": [], "PMC7": [("text:braf",)]}
    assert report.sources == {OFFLINE: 2}
    assert "PubMed does not" in report.failures["555"]
    assert ncbi.asked("biocjson") == []


def test_given_passes_on_and_refuses_bare_ids(settings):
    documents = [text("a"), text("b", mentions=[GIVEN_MENTION])]
    assert run("given", settings(), documents)[0] == documents
    with pytest.raises(SettingsError, match="only an id"):
        run("given", settings(), [article_request("100")])


def test_order_is_kept_over_blocks_and_reading_stays_ahead_by_one_block(ncbi, settings):
    taken = []

    def source():
        for number in range(3 * BLOCK):
            taken.append(number)
            yield text(f"d{number}")

    with Annotator("offline", WordTagger(), settings()) as annotate:
        names = []
        for document in annotate(source()):
            names.append(document.id)
            assert len(taken) <= len(names) + BLOCK
    assert names == [f"d{number}" for number in range(3 * BLOCK)]


def test_an_unknown_annotator_is_refused_with_the_known_ones():
    with pytest.raises(SettingsError, match="auto, pubtator3, offline, given"):
        annotator("magic")


def test_an_offline_tagger_that_is_missing_is_named(tmp_path):
    with pytest.raises(ModelError):
        OfflineTagger(tagger=tmp_path / "none").load()


def test_the_lexicon_comes_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("NOVELINK_LEXICON", str(tmp_path))
    assert annotator("offline")._offline.lexicon == tmp_path
    assert annotator("offline", lexicon=tmp_path / "x")._offline.lexicon == tmp_path / "x"
