"""The REST routes: what goes in, what comes out, and what is refused with which words."""

from __future__ import annotations

import gzip
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from waiting import wait_until

from novelink.formats import read, write
from novelink.serve.answers import written

TYPES = {
    "pubtator": "text/x-pubtator",
    "bioc-xml": "application/xml",
    "bioc-json": "application/json",
    "jsonl": "application/x-ndjson",
}


def extract(client, body, kind="application/json", **options):
    if not isinstance(body, bytes | str):
        body = json.dumps(body)
    return client.post("/v1/extract", content=body, headers={"Content-Type": kind}, **options)


def problem(response, status, code):
    """Check the form of an error; returns its remedy."""
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert error["code"] == code
    assert error["message"]
    assert error["remedy"]
    return error["remedy"]


def keys(documents):
    return [
        (d.id, sorted((r.id1, r.id2, r.type, r.novelty) for r in d.relations)) for d in documents
    ]


@pytest.mark.parametrize("name", TYPES)
def test_every_document_format_is_answered_in_its_own_form_with_what_extract_finds(
    serve, extractor, small_documents, name
):
    client = serve(extractor)
    answer = extract(client, written(small_documents, name), TYPES[name])
    assert answer.status_code == 200, answer.text
    found = list(read(io.BytesIO(answer.content), name))
    # What the format itself changes is no matter of the server.
    sent = read(io.BytesIO(written(small_documents, name)), name)
    assert keys(found) == keys(extractor.extract(sent))
    assert answer.headers["x-novelink-model"] == "tiny"
    counts = json.loads(answer.headers["x-novelink-report"])["counts"]
    assert counts["documents"] == len(small_documents)
    assert counts["relations"] == sum(len(document.relations) for document in found)


def test_json_documents_come_back_as_json_with_counts(serve, extractor, small_documents):
    client = serve(extractor)
    sent = [json.loads(line) for line in written(small_documents, "jsonl").splitlines()]
    answer = extract(client, {"documents": sent}).json()
    assert [document["id"] for document in answer["documents"]] == [d.id for d in small_documents]
    assert answer["counts"]["pairs"] > 0
    assert answer["left_out"] == {}
    lines = "\n".join(map(json.dumps, answer["documents"])).encode()
    assert keys(read(io.BytesIO(lines), "jsonl")) == keys(extractor.extract(small_documents))


@pytest.mark.parametrize("form", ["json", "pubtator", "bioc-xml", "jsonl", "tsv", "csv", "parquet"])
def test_answers_take_the_form_that_is_asked_for(serve, extractor, small_documents, form):
    if form == "parquet":
        pytest.importorskip("pyarrow")
    client = serve(extractor)
    body = written(small_documents, "pubtator")
    answer = extract(client, body, "text/x-pubtator", params={"format": form})
    assert answer.status_code == 200
    if form == "json":
        assert len(answer.json()["documents"]) == len(small_documents)
    if form == "tsv":
        assert answer.text.startswith("document\tid1\t")
    accepted = client.post(
        "/v1/extract",
        content=body,
        headers={"Content-Type": "text/plain", "Accept": "application/json"},
    )
    assert "documents" in accepted.json()


def test_text_and_papers_get_entities_first_and_failures_are_named(serve, extractor):
    client = serve(extractor)
    answer = extract(client, "ORFX meets GLOP. Then ORFX binds GLOP.", "text/plain").json()
    (document,) = answer["documents"]
    assert {mention["text"] for mention in document["mentions"]} == {"ORFX", "GLOP"}
    assert document["id"].startswith("text-")
    again = extract(client, {"text": "ORFX meets GLOP. Then ORFX binds GLOP."}).json()
    assert again["documents"][0]["mentions"] == document["mentions"]
    answer = extract(client, {"pmids": ["24259561", "PMC123"]}).json()
    assert answer["documents"] == []
    assert answer["left_out"] == {
        "24259561": "PubMed does not know this id",
        "PMC123": "PubMed does not know this id",
    }


def test_a_missing_annotator_is_said_with_what_to_do(serve, extractor):
    client = serve(extractor)
    client.app.state.service.annotation._make = None

    def make(name):
        from novelink.errors import ModelError

        raise ModelError("there is no tagger", remedy="Build one")

    client.app.state.service.annotation._make = make
    assert "marked entities" in problem(extract(client, "ORFX", "text/plain"), 503, "no_entities")


def test_hostile_text_comes_back_as_it_was(serve, extractor):
    client = serve(extractor)
    text = "<script>alert(1)</script> ORFX and GLOP 🧬 \u202e علاج"
    (document,) = extract(client, {"text": text}).json()["documents"]
    assert "".join(passage["text"] for passage in document["passages"]).strip() == text


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        ("", "application/json", 422, "empty"),
        ("{", "application/json", 422, "bad_json"),
        ('{"documents": 3}', "application/json", 422, "bad_json"),
        ('{"documents": []}', "application/json", 422, "empty"),
        ('{"pmids": ["insulin"]}', "application/json", 422, "bad_id"),
        ('{"id": "1", "title": "a", "what": 1}', "application/json", 422, "bad_document"),
        ("1|t|A b\n1|a|\n1\t0\t9\tA b\tGene\t1\n", "text/x-pubtator", 422, "bad_document"),
        ("<collection><document></collection>", "application/xml", 422, "bad_document"),
        ("x", "image/png", 415, "unknown_content_type"),
        (gzip.compress(b"0" * 10_000_000), "text/plain", 415, "packed"),
        ("\x00\x01", "text/plain", 422, "unknown_format"),
    ],
)
def test_bad_bodies_are_refused_with_what_to_do(serve, extractor, body, kind, status, code):
    problem(extract(serve(extractor), body, kind), status, code)


def test_external_entities_of_xml_are_refused(serve, extractor, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("hidden words")
    body = (
        f'<!DOCTYPE c [<!ENTITY x SYSTEM "{secret.as_uri()}">]><collection><source>&x;</source>'
        "<date/><key/><document><id>1</id><passage><offset>0</offset><text>&x;</text></passage>"
        "</document></collection>"
    )
    answer = extract(serve(extractor), body, "application/xml")
    assert answer.status_code == 422
    assert "hidden words" not in answer.text


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [
        ("/nowhere", "GET", 404, "not_found"),
        ("/v1/extract", "GET", 405, "wrong_method"),
        ("/v1/extract?min_score=2", "POST", 422, "bad_parameter"),
        ("/v1/extract?format=docx", "POST", 422, "unknown_format"),
        ("/v1/jobs/none", "GET", 404, "no_such_job"),
    ],
)
def test_wrong_requests_are_answered_in_the_same_form(serve, extractor, path, method, status, code):
    body = json.dumps({"id": "1", "title": "A"})
    answer = serve(extractor).request(
        method, path, content=body, headers={"Content-Type": "application/json"}
    )
    problem(answer, status, code)


def test_limits_of_body_documents_and_pairs(serve, extractor, small_documents):
    client = serve(extractor, max_body=3000, max_documents=2, max_pairs=3, max_request_pairs=4)
    problem(extract(client, "x" * 3001, "text/plain"), 413, "body_too_large")

    def pieces():
        for _ in range(40):
            yield b"x" * 100

    # Without a stated length too.
    problem(
        client.post("/v1/extract", content=pieces(), headers={"Content-Type": "text/plain"}),
        413,
        "body_too_large",
    )
    three = {"documents": [{"id": str(i), "title": "A"} for i in range(3)]}
    problem(extract(client, three), 413, "too_many_documents")
    remedy = problem(
        extract(client, written(small_documents[:1], "pubtator"), "text/x-pubtator"),
        413,
        "too_many_pairs",
    )
    assert "Split" in remedy
    two = written([small_documents[5], small_documents[3]], "pubtator")
    problem(extract(client, two, "text/x-pubtator"), 413, "too_many_pairs")


def named(*ids):
    return {"documents": [{"id": name, "title": "A"} for name in ids]}


def test_requests_of_many_clients_are_read_together_in_turn(serve, gated):
    client = serve(gated, batch_pairs=10)
    gated.gate.clear()
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(extract, client, named("first"))
        wait_until(lambda: gated.batches == [["first"]])
        large = pool.submit(extract, client, named(*(f"large{i}" for i in range(300))))
        wait_until(lambda: client.app.state.service.batcher.waiting == 300)
        small = pool.submit(extract, client, named("small"))
        wait_until(lambda: client.app.state.service.batcher.waiting == 301)
        gated.gate.set()
        answers = [one.result() for one in (first, large, small)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    # The small request shares the first batch with the large one that came before it.
    assert gated.batches[1][:3] == ["large0", "small", "large1"]
    assert [document["id"] for document in answers[1].json()["documents"]] == [
        f"large{i}" for i in range(300)
    ]


def test_a_full_queue_is_429_and_says_when_to_come_again(serve, gated):
    client = serve(gated, max_queue=3)
    gated.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(extract, client, named("a"))
        wait_until(lambda: gated.batches)
        second = pool.submit(extract, client, named("b", "c"))
        wait_until(lambda: client.app.state.service.batcher.waiting == 2)
        answer = extract(client, named("d", "e"))
        problem(answer, 429, "queue_full")
        assert int(answer.headers["retry-after"]) >= 1
        assert client.get("/readyz").json()["waiting_documents"] == 2
        gated.gate.set()
        assert first.result().status_code == second.result().status_code == 200


def test_a_request_that_takes_too_long_is_503_and_leaves_the_queue(serve, gated):
    client = serve(gated, max_seconds=0.3)
    gated.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(extract, client, named("a"))
        wait_until(lambda: gated.batches)
        problem(extract(client, named("b")), 503, "time_limit")
        problem(first.result(), 503, "time_limit")
    assert client.app.state.service.batcher.waiting == 0
    gated.gate.set()


def test_one_bad_document_does_not_spoil_the_answers_of_others(serve, gated):
    client = serve(gated)
    gated.gate.clear()
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(extract, client, named("first"))
        wait_until(lambda: gated.batches)
        bad = pool.submit(extract, client, named("fault"))
        good = pool.submit(extract, client, named("good"))
        wait_until(lambda: client.app.state.service.batcher.waiting == 2)
        gated.gate.set()
        assert good.result().status_code == 200
        problem(bad.result(), 500, "fault")
        assert first.result().status_code == 200


def test_a_stopping_server_finishes_what_waits_and_refuses_the_rest(serve, gated):
    client = serve(gated)
    gated.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(extract, client, named("a"))
        wait_until(lambda: gated.batches)
        second = pool.submit(extract, client, named("b"))
        wait_until(lambda: client.app.state.service.batcher.waiting == 1)
        client.portal.call(client.app.state.service.refuse_new)
        problem(extract(client, named("c")), 503, "stopping")
        problem(client.get("/readyz"), 503, "stopping")
        assert client.get("/healthz").status_code == 200
        gated.gate.set()
        assert first.result().status_code == second.result().status_code == 200


def test_evidence_of_a_model_without_it_is_refused(serve, gated):
    client = serve(gated)
    answer = extract(client, named("a"), params={"evidence": "true"})
    assert answer.status_code == 503
    assert client.get("/v1/schema").json()["model"]["evidence"] is False


def test_schema_names_types_limits_and_formats(serve, extractor):
    found = serve(extractor, max_documents=7).get("/v1/schema").json()
    assert found["schema"]["relation_types"][0] == "Association"
    assert found["limits"]["documents"] == 7
    assert {"json", "pubtator", "kgx", "indra"} <= set(found["formats"])


def test_metrics_count_requests_documents_and_pairs(serve, extractor, small_documents):
    client = serve(extractor)
    extract(client, written(small_documents, "pubtator"), "text/x-pubtator")
    text = client.get("/metrics").text
    assert f"novelink_documents_total {float(len(small_documents))}" in text
    assert 'novelink_requests_total{method="POST",path="/v1/extract",status="200"} 1.0' in text
    assert "novelink_waiting_documents 0.0" in text


def test_openapi_has_examples_that_the_service_takes(serve, extractor):
    client = serve(extractor)
    described = client.get("/openapi.json").json()
    operation = described["paths"]["/v1/extract"]["post"]
    content = operation["requestBody"]["content"]
    assert {"413", "422", "429", "503"} <= set(operation["responses"])
    for example in content["application/json"]["examples"].values():
        assert extract(client, example["value"]).status_code == 200
    for kind in ("text/x-pubtator", "text/plain", "text/x-pmids"):
        assert extract(client, content[kind]["example"], kind).status_code == 200


def test_only_pages_of_this_server_may_change_things(serve, extractor):
    client = serve(extractor)
    problem(client.get("/healthz", headers={"Host": "elsewhere.example"}), 421, "wrong_host")
    answer = client.post(
        "/v1/extract", content=b"ORFX", headers={"Origin": "http://elsewhere.example"}
    )
    problem(answer, 403, "other_origin")
    own = client.post("/v1/extract", content=b"ORFX", headers={"Origin": "http://testserver"})
    assert own.status_code == 200
    assert "default-src 'none'" in own.headers["content-security-policy"]


def test_sixty_four_clients_get_the_answers_that_are_theirs(serve, extractor, small_documents):
    client = serve(extractor)
    right = keys(extractor.extract(small_documents))
    body = written(small_documents, "jsonl")
    lock, statuses = threading.Lock(), []

    def ask(_):
        answer = extract(client, body, "application/x-ndjson")
        with lock:
            statuses.append(answer.status_code)
        return keys(read(io.BytesIO(answer.content), "jsonl"))

    with ThreadPoolExecutor(64) as pool:
        assert all(found == right for found in pool.map(ask, range(64)))
    assert set(statuses) == {200}


def test_write_and_answer_agree(serve, extractor, small_documents, tmp_path):
    """A file from `extract -o` and the same request's answer are the same bytes."""
    target = tmp_path / "out.pubtator"
    write(extractor.extract(small_documents), target)
    client = serve(extractor)
    answer = extract(client, written(small_documents, "pubtator"), "text/x-pubtator")
    assert answer.content == target.read_bytes()
