"""The raw-text service: submitting, waiting, retrieving."""

import time
from itertools import pairwise

import pytest
from ncbi_server import BLOCKED, HTML_400, Answer

from novelink.annotate.pubtator3 import BlockedError, PubTator3, UnreachableError
from novelink.document import Document
from novelink.errors import DataError

TEXT = Document.from_text("a", "We study BRAF.", "Mutant BRAF grows.")


def annotate(settings, *documents):
    with PubTator3(settings) as client:
        return client.annotate(list(documents))


def test_mentions_come_with_offsets_of_our_own_text(ncbi, settings):
    (document,) = annotate(settings(), TEXT)
    assert document.id == "a"
    assert [(one.start, one.text, one.type, one.concept_ids) for one in document.mentions] == [
        (9, "BRAF", "GeneOrGeneProduct", ("673",)),
        (22, "BRAF", "GeneOrGeneProduct", ("673",)),
    ]
    (submitted,) = ncbi.asked("request.cgi")
    assert submitted.form == {"text": TEXT.text, "bioconcept": "All"}


def test_404_and_400_before_the_result_mean_wait(ncbi, settings):
    ncbi.pending = {"0" * 20: [404, 400, 404, 400, 400]}
    (document,) = annotate(settings(), TEXT)
    assert len(document.mentions) == 2
    assert len(ncbi.asked("retrieve.cgi")) == 6


def test_pauses_between_askings_grow(ncbi, settings):
    ncbi.pending = {"0" * 20: [404] * 4}
    annotate(settings(poll_seconds=0.02, poll_limit_seconds=10), TEXT)
    times = [request.time for request in ncbi.asked("retrieve.cgi")]
    pauses = [later - sooner for sooner, later in pairwise(times)]
    # Sleeping can only take longer than asked: each pause has a least length.
    assert all(
        pause >= least for pause, least in zip(pauses, (0.02, 0.03, 0.045, 0.0675), strict=True)
    )


def test_a_warning_page_with_status_200_means_wait_too(ncbi, settings):
    ncbi.pending = {"0" * 20: [200, 200]}
    (document,) = annotate(settings(), TEXT)
    assert len(document.mentions) == 2


def test_a_plain_text_session_is_accepted(ncbi, settings):
    ncbi.plain_session = True
    (document,) = annotate(settings(), TEXT)
    assert len(document.mentions) == 2


def test_a_job_that_is_never_ready_is_given_up_and_asked_for_next_time(ncbi, settings):
    ncbi.never_ready = True
    other = Document.from_text("b", "No gene.")
    results = annotate(settings(job_limit_seconds=0.05), TEXT, other)
    assert all(isinstance(result, UnreachableError) for result in results)
    assert "not ready after 0.05 s" in str(results[0])
    assert "asked for, not submitted anew" in str(results[0])
    ncbi.never_ready = False
    first, second = annotate(settings(), TEXT, other)
    assert len(first.mentions) == 2
    assert second.mentions == ()
    assert len(ncbi.asked("request.cgi")) == 2


def test_a_session_that_two_runs_waited_for_is_forgotten(ncbi, settings):
    ncbi.never_ready = True
    for _ in range(2):
        (result,) = annotate(settings(job_limit_seconds=0.02), TEXT)
    assert "submitted anew" in str(result)
    ncbi.never_ready = False
    annotate(settings(), TEXT)
    assert len(ncbi.asked("request.cgi")) == 2


def test_results_are_kept(ncbi, settings):
    first = annotate(settings(), TEXT)
    calls = len(ncbi.requests)
    assert annotate(settings(), TEXT) == first
    assert len(ncbi.requests) == calls


def test_without_a_cache_each_run_submits(ncbi, settings):
    annotate(settings(cache=None), TEXT)
    annotate(settings(cache=None), TEXT)
    assert len(ncbi.asked("request.cgi")) == 2


def test_the_blocked_page_stops_all_jobs(ncbi, settings):
    ncbi.script.append(Answer(200, BLOCKED))
    results = annotate(settings(), TEXT, Document.from_text("b", "No gene."))
    assert all(isinstance(result, BlockedError) for result in results)
    assert len(ncbi.requests) == 1


def test_a_submission_that_is_refused_fails_alone(ncbi, settings):
    ncbi.script.append(Answer(400, HTML_400))
    first, second = annotate(settings(), TEXT, Document.from_text("b", "About BRAF."))
    assert "answered 400" in str(first)
    assert len(second.mentions) == 1


def test_mentions_survive_a_text_that_came_back_changed(ncbi, settings):
    document = Document.from_text("q", "The “driver” and “target” BRAF.", "“BRAF” again.")
    (found,) = annotate(settings(), document)
    assert [found.text[one.start : one.end] for one in found.mentions] == ["BRAF", "BRAF"]
    assert [one.start for one in found.mentions] == [26, 33]


def test_annotation_lines_alone_are_understood(ncbi, settings):
    ncbi.script += [
        Answer(200, b'{"id": "0123456789ABCDEF0123"}'),
        Answer(200, b"1\t9\t13\tBRAF\tGene\t673\n"),
    ]
    (document,) = annotate(settings(), TEXT)
    assert [one.start for one in document.mentions] == [9]


def test_a_result_that_is_no_format_at_all_is_said(ncbi, settings):
    ncbi.script += [Answer(200, b'{"id": "0123456789ABCDEF0123"}'), Answer(200, b"<oops>")]
    (result,) = annotate(settings(), TEXT)
    assert isinstance(result, DataError)
    assert "cannot be read" in str(result)


@pytest.mark.parametrize("count", [5])
def test_many_jobs_wait_side_by_side(ncbi, settings, count):
    documents = [Document.from_text(f"d{n}", f"BRAF {n}.") for n in range(count)]
    ncbi.pending = {f"{n:020X}": [404] for n in range(count)}
    began = time.monotonic()
    results = annotate(settings(poll_seconds=0.3, poll_limit_seconds=0.3), *documents)
    assert all(len(result.mentions) == 1 for result in results)
    # All submissions come before the first asking: nobody waited for another's job.
    paths = [request.path for request in ncbi.requests]
    assert paths[:count] == ["/RESTful/request.cgi"] * count
    assert time.monotonic() - began < 60


def test_a_document_without_text_is_not_sent(ncbi, settings):
    (document,) = annotate(settings(), Document.from_text("e", "", ""))
    assert document.mentions == ()
    assert ncbi.requests == []
