"""Jobs, their events, decisions and gold data."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from waiting import wait_until

from novelink.errors import DataError
from novelink.formats import read
from novelink.schema import BIORED
from novelink.serve.answers import written
from novelink.serve.store import Store


def start(client, documents, name="a job"):
    answer = client.post(
        "/v1/jobs",
        params={"name": name},
        content=written(documents, "pubtator"),
        headers={"Content-Type": "text/x-pubtator"},
    )
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def events(client, job):
    """Names and data of a job's events up to the last."""
    answer = client.get(f"/v1/jobs/{job}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in answer.text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


def finished(client, documents, **options):
    job = start(client, documents, **options)
    assert events(client, job)[-1][0] == "done"
    return job


def decide(client, job, document, relation, action, **right):
    record = {
        "document": document.id,
        "id1": relation.id1,
        "id2": relation.id2,
        "predicted": relation.type,
        "action": action,
        **right,
    }
    return client.put(f"/v1/jobs/{job}/decisions", json=record)


def test_a_job_tells_its_progress_and_keeps_its_results(serve, extractor, small_documents):
    client = serve(extractor)
    job = start(client, small_documents)
    seen = events(client, job)
    assert [name for name, _ in seen[:-1]] == ["progress"] * (len(seen) - 1)
    done = [data["done"] for name, data in seen if name == "progress"]
    assert done == sorted(done)
    assert seen[-1][0] == "done"
    assert client.get(f"/v1/jobs/{job}").json()["state"] == "done"
    answer = client.get(f"/v1/jobs/{job}/documents", params={"format": "jsonl"})
    found = list(read(io.BytesIO(answer.content), "jsonl"))
    sent = read(io.BytesIO(written(small_documents, "pubtator")), "pubtator")
    right = list(extractor.extract(sent))
    assert [d.id for d in found] == [d.id for d in right]
    assert [len(d.relations) for d in found] == [len(d.relations) for d in right]
    assert "attachment" in answer.headers["content-disposition"]
    assert client.get("/v1/jobs").json()["jobs"][0]["name"] == "a job"
    assert len(client.get(f"/v1/jobs/{job}/page").json()["documents"]) == len(small_documents)


@pytest.mark.parametrize(
    "form", ["pubtator", "bioc-xml", "bioc-json", "tsv", "csv", "kgx", "indra"]
)
def test_results_can_be_downloaded_in_every_format(serve, extractor, small_documents, form):
    client = serve(extractor)
    job = finished(client, small_documents)
    answer = client.get(f"/v1/jobs/{job}/documents", params={"format": form})
    assert answer.status_code == 200
    assert answer.content


def test_papers_that_cannot_be_had_are_named_and_the_rest_goes_on(serve, extractor):
    client = serve(extractor)
    body = json.dumps({"pmids": ["24259561"]})
    headers = {"Content-Type": "application/json"}
    job = client.post("/v1/jobs", content=body, headers=headers).json()["id"]
    done = events(client, job)[-1]
    assert done[0] == "done"
    facts = client.get(f"/v1/jobs/{job}").json()
    assert facts["left_out"] == {"24259561": "PubMed does not know this id"}


def test_a_document_with_too_many_pairs_is_left_out_of_a_job(serve, extractor, small_documents):
    client = serve(extractor, max_pairs=3)
    job = finished(client, small_documents)
    facts = client.get(f"/v1/jobs/{job}").json()
    assert "pairs" in facts["left_out"]["101"]
    assert facts["counts"]["documents"] == len(small_documents) - 1


def test_too_many_jobs_at_a_time_are_429(serve, gated, small_documents):
    client = serve(gated, max_jobs=1)
    gated.gate.clear()
    job = start(client, small_documents)
    answer = client.post("/v1/jobs", content=b'{"id": "1", "title": "A"}')
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "too_many_jobs"
    gated.gate.set()
    assert events(client, job)[-1][0] == "done"


def test_a_stopping_server_ends_streams_and_keeps_what_a_job_has(
    serve, gated, small_documents, tmp_path
):
    database = tmp_path / "kept.sqlite"
    client = serve(gated, database=database, grace=20)
    many = [
        type(one)(f"{one.id}{number:02}", one.passages, one.mentions)
        for number in range(25)
        for one in small_documents
    ]
    gated.gate.clear()
    job = start(client, many)
    with ThreadPoolExecutor(1) as pool:
        stream = pool.submit(events, client, job)
        wait_until(lambda: gated.batches)
        client.portal.call(client.app.state.service.refuse_new)
        assert stream.result()[-1][0] == "stopping"
    gated.gate.set()
    wait_until(lambda: client.app.state.jobs.find(job) is None)
    facts = serve(gated, database=database).get(f"/v1/jobs/{job}").json()
    # The first block of 100 was begun; the other 50 are named.
    assert facts["counts"]["documents"] == 100
    assert len(facts["left_out"]) == 50
    assert "stopped before" in next(iter(facts["left_out"].values()))


def test_decisions_outlive_the_server_and_become_gold(serve, extractor, small_documents, tmp_path):
    database = tmp_path / "kept.sqlite"
    client = serve(extractor, database=database)
    job = finished(client, small_documents)
    found = list(read(io.BytesIO(client.get(f"/v1/jobs/{job}/documents").content), "jsonl"))
    document = next(d for d in found if len(d.relations) > 1)
    first, *others = document.relations
    right = "Negative_Correlation" if first.type == "Association" else "Association"
    assert (
        decide(client, job, document, first, "correct", type=right, novelty="Novel").status_code
        == 200
    )
    for relation in others:
        decide(client, job, document, relation, "accept")
    # The second decision on a relation replaces the first.
    decide(client, job, document, others[0], "reject")

    again = serve(extractor, database=database)
    kept = again.get(f"/v1/jobs/{job}/decisions").json()
    assert kept["format"] == "novelink-decisions"
    assert len(kept["decisions"]) == len(document.relations)
    for path in (f"/v1/jobs/{job}/gold", "/v1/gold"):
        answer = again.get(path, params={"format": "pubtator"})
        (gold,) = read(io.BytesIO(answer.content), "pubtator")
        assert gold.id == document.id
        assert len(gold.relations) == len(others)
        assert (gold.relations[0].type, gold.relations[0].novelty) == (right, "Novel")
        report = json.loads(answer.headers["x-novelink-report"])
        assert "without decisions left out" in " ".join(report)

    key = {**kept["decisions"][0]}
    assert again.request("DELETE", f"/v1/jobs/{job}/decisions", json=key).json() == {"forgotten": 1}
    # A document with an undecided relation is no gold any more.
    answer = again.get("/v1/gold", params={"format": "jsonl"})
    assert answer.content == b""
    assert 'novelink_decisions_total{action="accept"}' in client.get("/metrics").text
    assert again.delete(f"/v1/jobs/{job}").status_code == 200
    assert again.get(f"/v1/jobs/{job}/decisions").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"action": "maybe"},
        {"action": "correct", "type": "Likes"},
        {"novelty": "Old"},
        {"document": 3},
        {"more": 1},
        {"predicted": None},
    ],
)
def test_decisions_that_make_no_sense_are_refused(serve, extractor, small_documents, change):
    client = serve(extractor)
    job = finished(client, small_documents[:1])
    record = {"document": "101", "id1": "a", "id2": "b", "predicted": "Bind", "action": "accept"}
    answer = client.put(f"/v1/jobs/{job}/decisions", json=record | change)
    assert answer.status_code == 422
    assert answer.json()["error"]["remedy"]


def test_old_jobs_without_decisions_make_room(serve, extractor, small_documents):
    client = serve(extractor, kept_jobs=2)
    jobs = [finished(client, small_documents[:1], name=str(n)) for n in range(2)]
    client.put(
        f"/v1/jobs/{jobs[0]}/decisions",
        json={"document": "101", "id1": "a", "id2": "b", "predicted": "Bind", "action": "accept"},
    )
    jobs += [finished(client, small_documents[:1], name=str(n)) for n in range(2, 4)]
    assert [job["name"] for job in client.get("/v1/jobs").json()["jobs"]] == ["3", "2", "0"]


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("these are notes " * 100)
    with pytest.raises(DataError, match="cannot be used as a database"):
        Store(path, BIORED)
    assert path.read_text().startswith("these are notes")


def test_the_application_serves_its_own_files_only(serve, extractor):
    client = serve(extractor)
    page = client.get("/")
    assert "<script>" not in page.text
    for path in ("/assets/page.css", "/assets/app.js", "/assets/intake.js"):
        assert client.get(path).status_code == 200
    assert client.get("/assets/page.html").status_code == 404
    assert client.get("/assets/..%2Fpage.py").status_code == 404
