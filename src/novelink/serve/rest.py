"""The REST routes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from novelink.serve import examples
from novelink.serve.answers import answer, answer_format, writable_formats
from novelink.serve.batching import ReadOptions
from novelink.serve.bodies import content_format, parse
from novelink.serve.problems import Problem, stopping

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from novelink.serve.bodies import Parsed
    from novelink.serve.service import Service

router = APIRouter()
Result = TypeVar("Result")

MinScore = Annotated[
    float | None,
    Query(ge=0, le=1, description="Least score of a relation, in place of the model's threshold."),
]
WithEvidence = Annotated[
    bool, Query(description="Also give the sentences that relations rest on, if the model can.")
]
AnswerFormat = Annotated[
    str | None,
    Query(alias="format", description=f"Form of the answer: {', '.join(writable_formats())}."),
]
Entities = Annotated[
    Literal["auto", "pubtator3", "offline", "given"] | None,
    Query(
        description="Who finds entities. Default: for text and ids the server's own annotator, "
        "otherwise those in the documents."
    ),
]


def service_of(request: Request) -> Service:
    """The service that a request came to."""
    service: Service = request.app.state.service
    return service


async def parsed_body(request: Request, most: int) -> Parsed:
    """Documents of a request's body; parsing runs beside the event loop."""
    service = service_of(request)
    kind = content_format(request.headers.get("content-type", ""))
    body = await request.body()
    return await asyncio.to_thread(parse, body, kind, service.schema, most)


async def unless_gone(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of some work, which ends early when the client has gone.

    Otherwise what nobody waits for any more would keep others waiting.
    """
    task = asyncio.create_task(work)
    try:
        while True:
            finished, _ = await asyncio.wait({task}, timeout=0.5)
            if finished:
                return task.result()
            if await request.is_disconnected():
                raise Problem(499, "client_gone", "the client has gone", "Send it again")
    finally:
        task.cancel()


@router.post(
    "/v1/extract",
    summary="Find relations",
    tags=["relations"],
    responses={
        200: {"content": {"application/json": {"example": examples.RESULT}}},
        **examples.ERRORS,
    },
    openapi_extra={"requestBody": examples.BODY},
)
async def extract(
    request: Request,
    *,
    min_score: MinScore = None,
    evidence: WithEvidence = False,
    answer_as: AnswerFormat = None,
    entities: Entities = None,
) -> Response:
    """Relations of documents, text or papers.

    The content type says what the body is; the answer has the same form, or
    the one that `format` or Accept asks for. Requests of all clients are read
    together. Documents keep their order.
    """
    service = service_of(request)
    if service.stopping.is_set():
        raise stopping()
    parsed = await parsed_body(request, service.settings.max_documents)
    chosen = answer_format(answer_as, request.headers.get("accept", ""), parsed.format)
    work = service.extract(parsed, ReadOptions(min_score, evidence), entities)
    documents, facts = await unless_gone(request, work)
    return await asyncio.to_thread(
        answer, documents, chosen, model=service.extractor.name, facts=facts
    )


@router.get("/v1/schema", summary="Types and limits", tags=["relations"])
async def schema(request: Request) -> JSONResponse:
    """The model's vocabulary, its configuration, this server's limits and formats."""
    service = service_of(request)
    settings = service.settings
    content: dict[str, Any] = {
        "schema": service.schema.to_dict(),
        "model": {
            "name": service.extractor.name,
            "max_length": service.extractor.max_length,
            "evidence": service.gives_evidence,
        },
        "limits": {
            "body_bytes": settings.max_body,
            "documents": settings.max_documents,
            "pairs_of_a_document": settings.max_pairs,
            "pairs_of_a_request": settings.max_request_pairs,
            "seconds": settings.max_seconds,
            "waiting_documents": settings.max_queue,
        },
        "formats": writable_formats(),
    }
    return JSONResponse(content)


@router.get("/healthz", summary="Is the process alive?", tags=["operation"])
async def health() -> JSONResponse:
    """Always 200 while the process answers."""
    return JSONResponse({"status": "alive"})


@router.get("/readyz", summary="Does it take work?", tags=["operation"])
async def ready(request: Request) -> JSONResponse:
    """200 while requests are taken, 503 while the server stops."""
    service = service_of(request)
    if service.stopping.is_set():
        raise stopping()
    return JSONResponse({"status": "ready", "waiting_documents": service.batcher.waiting})


@router.get("/metrics", summary="Counts for Prometheus", tags=["operation"])
async def metrics(request: Request) -> Response:
    """Prometheus' text format."""
    return Response(
        service_of(request).metrics.text(),
        media_type="text/plain; version=0.0.4; charset=utf-8",
    )
