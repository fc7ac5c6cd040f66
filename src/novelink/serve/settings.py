"""What a server allows; every limit has a name that its error messages use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """Settings of one server.

    Attributes:
        max_body: bytes of a request's body.
        max_documents: documents of one ``/v1/extract`` request.
        max_job_documents: documents of one job of the web application.
        max_pairs: entity pairs of one document; work grows with them.
        max_request_pairs: entity pairs of all documents of one request.
        max_seconds: time one ``/v1/extract`` request may take.
        max_queue: documents that may wait, over all clients; beyond that 429.
        max_jobs: jobs of the web application that may run at a time.
        kept_jobs: finished jobs kept; the oldest without decisions go first.
        annotator: who finds entities in text and papers, see
            :func:`novelink.annotate.annotator`.
        database: SQLite file of jobs and decisions; ``:memory:`` forgets them
            when the server stops.
        batch_pairs: entity pairs gathered over clients for one go of the model.
        grace: seconds that running requests get when the server stops.
        hosts: names a request's Host header may have beside the loopback ones.
        token: what requests must carry, see :mod:`novelink.serve.access`; None
            lets everyone in who reaches the server.
    """

    max_body: int = 20_000_000
    max_documents: int = 1_000
    max_job_documents: int = 10_000
    max_pairs: int = 20_000
    max_request_pairs: int = 200_000
    max_seconds: float = 300.0
    max_queue: int = 20_000
    max_jobs: int = 8
    kept_jobs: int = 200
    annotator: str = "auto"
    database: str | Path = ":memory:"
    batch_pairs: int = 2_000
    grace: int = 30
    hosts: tuple[str, ...] = ()
    token: str | None = field(default=None, repr=False)
