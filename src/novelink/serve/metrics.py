"""Counts for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """The metrics of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "novelink_requests",
            "Answered requests.",
            ["path", "method", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "novelink_request_seconds",
            "Time from a request's head to the end of its answer.",
            ["path"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.documents = Counter(
            "novelink_documents", "Documents read by the model.", registry=self.registry
        )
        self.pairs = Counter(
            "novelink_pairs", "Entity pairs judged by the model.", registry=self.registry
        )
        self.batch_documents = Histogram(
            "novelink_batch_documents",
            "Documents read in one go, over clients.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=self.registry,
        )
        self.batch_seconds = Histogram(
            "novelink_batch_seconds",
            "Time of one go of the model.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.decisions = Counter(
            "novelink_decisions", "Decisions of curators.", ["action"], registry=self.registry
        )

    def observe_batch(self, documents: int, pairs: int, seconds: float) -> None:
        """Count one go of the model."""
        self.documents.inc(documents)
        self.pairs.inc(pairs)
        self.batch_documents.observe(documents)
        self.batch_seconds.observe(seconds)

    def watch_queue(self, waiting: Callable[[], int]) -> None:
        """Show how many documents wait."""
        gauge = Gauge("novelink_waiting_documents", "Documents that wait.", registry=self.registry)
        gauge.set_function(waiting)

    def text(self) -> bytes:
        """In Prometheus' text format."""
        text: bytes = generate_latest(self.registry)
        return text
