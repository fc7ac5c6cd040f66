"""Export by PMID and PMCID against a local server over real HTTP."""

import json
import logging

import pytest
from ncbi_server import ABSTRACT, BLOCKED, TITLE, Answer, paper_json

from novelink.annotate.pubtator3 import PubTator3, PubTatorSettings
from novelink.errors import SettingsError


def fetch(settings, ids):
    with PubTator3(settings) as client:
        return client.fetch(ids)


def test_a_paper_comes_with_types_and_ids_as_biored_names_them(ncbi, settings):
    with PubTator3(settings()) as client:
        (document,) = client.documents(["PMID: 24259561"])
        assert client.read_report.ignored_types == {"Strain": 1}
    assert document.id == "24259561"
    assert document.text == f"{TITLE} {ABSTRACT}"
    assert [passage.offset for passage in document.passages] == [0, len(TITLE) + 1]
    assert [(one.text, one.type, one.concept_ids) for one in document.mentions] == [
        ("BRAF", "GeneOrGeneProduct", ("673",)),
        ("V600E", "SequenceVariant", ("rs113488022",)),
        ("melanoma", "DiseaseOrPhenotypicFeature", ("D008545",)),
        ("Vemurafenib", "ChemicalEntity", ("C551177",)),
        ("A375", "CellLine", ("CVCL_0132",)),
        ("human", "OrganismTaxon", ("9606",)),
    ]
    (relation,) = document.relations
    assert {relation.id1, relation.id2} == {"C551177", "673"}
    assert relation.type == "Negative_Correlation"
    assert relation.novelty is None


def test_pmcids_are_asked_as_xml_and_keep_their_letters(ncbi, settings):
    fetched = fetch(settings(), ["pmc8", "PMC7"])
    assert {name: one.id for name, one in fetched.documents.items()} == {
        "pmc8": "PMC8",
        "PMC7": "PMC7",
    }
    (request,) = ncbi.asked("pmc_export/biocxml")
    assert request.query == {"pmcids": "PMC8,PMC7"}


def test_order_is_kept_and_an_id_asked_twice_comes_once(ncbi, settings):
    with PubTator3(settings()) as client:
        names = [one.id for one in client.documents(["102", "PMC7", "100", "102"])]
    assert names == ["102", "PMC7", "100"]


def test_no_call_asks_for_more_than_a_hundred_ids(ncbi, settings):
    ncbi.pmids = {str(number) for number in range(1, 251)}
    fetched = fetch(settings(), sorted(ncbi.pmids))
    assert len(fetched.documents) == 250
    sizes = [len(request.query["pmids"].split(",")) for request in ncbi.asked("biocjson")]
    assert sorted(sizes) == [50, 100, 100]


def test_full_text_is_asked_for_when_wanted(ncbi, settings):
    fetch(settings(full_text=True), ["100"])
    assert ncbi.asked("biocjson")[0].query["full"] == "true"


def test_ids_that_fail_are_told_one_by_one_and_the_rest_comes(ncbi, settings):
    fetched = fetch(settings(), ["100", "555", "insulin", "PMC99", "101"])
    assert set(fetched.documents) == {"100", "101"}
    assert "neither a PMID" in fetched.failures["insulin"]
    assert "does not have this paper; PubMed does not have it either" in fetched.failures["555"]
    assert "open-access" in fetched.failures["PMC99"]


def test_what_pubtator_lacks_comes_from_pubmed_without_entities(ncbi, settings):
    fetched = fetch(settings(api_key="secret"), ["900", "100"])
    assert fetched.without_entities == {"900"}
    assert fetched.documents["900"].text == "Paper 900. It is new."
    assert fetched.documents["900"].mentions == ()
    (request,) = ncbi.asked("efetch")
    assert request.form["api_key"] == "secret"
    assert "secret" not in json.dumps(request.query)


@pytest.mark.parametrize("trouble", ["refuses", "stumbles"])
def test_one_bad_id_does_not_cost_its_batch(ncbi, settings, trouble):
    ncbi.pmids = {str(number) for number in range(1, 21)}
    setattr(ncbi, trouble, {"13"})
    fetched = fetch(settings(attempts=1), sorted(ncbi.pmids))
    assert set(fetched.failures) == {"13"}
    assert len(fetched.documents) == 19


def test_a_busy_service_is_asked_again(ncbi, settings):
    ncbi.script += [Answer(503), Answer(502)]
    assert "100" in fetch(settings(), ["100"]).documents
    assert len(ncbi.requests) == 3


def test_retry_after_is_obeyed(ncbi, settings):
    ncbi.script.append(Answer(429, headers={"Retry-After": "1"}))
    assert "100" in fetch(settings(), ["100"]).documents
    first, second = ncbi.requests
    # The server counts from the arrival, the client from the answer: never sooner.
    assert second.time - first.time >= 0.99


def test_a_retry_after_beyond_the_limit_ends_the_call(ncbi, settings):
    ncbi.script.append(Answer(429, headers={"Retry-After": "Wed, 01 Jan 2200 00:00:00 GMT"}))
    fetched = fetch(settings(), ["100"])
    assert "longer than the limit of 120 s" in fetched.failures["100"]
    assert len(ncbi.requests) == 1


def test_a_cut_connection_is_tried_again(ncbi, settings):
    whole = json.dumps({"PubTator3": [paper_json("100")]}).encode()
    ncbi.script.append(Answer(200, whole, cut=len(whole) // 2))
    assert "100" in fetch(settings(), ["100"]).documents


def test_an_answer_that_ends_in_the_middle_is_tried_again(ncbi, settings):
    whole = json.dumps({"PubTator3": [paper_json("100")]}).encode()
    ncbi.script.append(Answer(200, whole[: len(whole) // 2]))
    assert "100" in fetch(settings(), ["100"]).documents


def test_an_xml_answer_that_ends_in_the_middle_is_tried_again(ncbi, settings):
    ncbi.script.append(Answer(200, b"<collection><document><id>7</id>"))
    assert "PMC7" in fetch(settings(), ["PMC7"]).documents


def test_a_web_page_in_place_of_data_is_never_parsed(ncbi, settings):
    ncbi.script += [Answer(200, b"<html><body>Maintenance</body></html>")] * 3
    reason = fetch(settings(), ["100"]).failures["100"]
    assert "sent a web page instead of data" in reason
    assert "3 tries" in reason


def test_the_blocked_page_stops_all_asking(ncbi, settings, caplog):
    ncbi.pmids = {str(number) for number in range(1, 301)}
    ncbi.script.append(Answer(200, BLOCKED))
    with caplog.at_level(logging.ERROR):
        fetched = fetch(settings(), sorted(ncbi.pmids))
    assert len(fetched.failures) == 300
    assert all("NCBI blocks requests" in reason for reason in fetched.failures.values())
    assert len(ncbi.requests) == 1
    assert "NCBI blocks requests" in caplog.text


def test_a_service_that_is_down_is_given_up_after_two_batches(ncbi, settings):
    ncbi.pmids = {str(number) for number in range(1, 31)}
    ncbi.script += [Answer(503)] * 50
    fetched = fetch(settings(ids_per_call=5, attempts=2), sorted(ncbi.pmids))
    assert len(fetched.failures) == 30
    assert len(ncbi.requests) == 4
    assert sum("not asked for" in reason for reason in fetched.failures.values()) == 20


def test_no_service_at_all_is_said_with_a_remedy(settings):
    lonely = settings(url="http://127.0.0.1:9", attempts=2)
    reason = fetch(lonely, ["100"]).failures["100"]
    assert "connection failed" in reason
    assert "--annotator offline" in reason


def test_a_misplaced_annotation_is_left_out_and_counted(ncbi, settings):
    paper = paper_json("100")
    paper["passages"][0]["annotations"][0]["locations"][0]["offset"] = 3
    ncbi.script.append(Answer(200, json.dumps({"PubTator3": [paper]}).encode()))
    with PubTator3(settings()) as client:
        document = client.fetch(["100"]).documents["100"]
        assert sum(client.read_report.notes.values()) == 1
    assert "BRAF" not in [one.text for one in document.mentions]


def test_types_that_pubtator_may_add_one_day_are_left_out_and_counted(ncbi, settings):
    paper = paper_json("100")
    paper["passages"][0]["annotations"][0]["infons"]["type"] = "Planet"
    ncbi.script.append(Answer(200, json.dumps({"PubTator3": [paper]}).encode()))
    with PubTator3(settings()) as client:
        assert len(client.fetch(["100"]).documents["100"].mentions) == 5
        assert client.read_report.ignored_types == {"Planet": 1, "Strain": 1}


def test_what_cannot_be_read_fails_alone(ncbi, settings):
    broken = paper_json("100")
    broken["passages"][1]["offset"] = 3
    body = json.dumps({"PubTator3": [broken, paper_json("101")]}).encode()
    ncbi.script.append(Answer(200, body))
    fetched = fetch(settings(), ["100", "101"])
    assert set(fetched.documents) == {"101"}
    assert "passage at offset 3 begins before" in fetched.failures["100"]


def test_answers_are_kept_and_refresh_asks_again(ncbi, settings):
    first = fetch(settings(), ["100", "PMC7", "900"])
    calls = len(ncbi.requests)
    second = fetch(settings(), ["900", "PMC7", "100"])
    assert second.documents == first.documents
    assert [one.path for one in ncbi.requests[calls:]] == [
        "/pubtator3-api/publications/export/biocjson"
    ]
    fetch(settings(refresh=True), ["100"])
    assert len(ncbi.asked("biocjson")) == 3


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("NOVELINK_PUBTATOR_URL", "https://example.org/api/")
    monkeypatch.setenv("NOVELINK_NCBI_API_KEY", "sesame")
    monkeypatch.setenv("NOVELINK_CACHE", str(tmp_path))
    settings = PubTatorSettings.from_environment(refresh=True)
    assert (settings.url, settings.api_key) == ("https://example.org/api", "sesame")
    assert settings.cache == tmp_path
    assert settings.refresh
    assert "sesame" not in repr(settings)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"url": "ftp://x"}, "no web address"),
        ({"ids_per_call": 101}, "1 to 100"),
        ({"attempts": 0}, "1 or more"),
        ({"requests_per_second": 0}, "at most 3"),
        ({"colour": "red"}, "unknown setting"),
    ],
)
def test_settings_that_cannot_be_are_refused(change, part):
    with pytest.raises(SettingsError, match=part):
        PubTatorSettings.from_environment(**change)
