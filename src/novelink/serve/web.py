"""The web application: its files, its jobs, and curating."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from novelink.curation import CurationReport, curated, decision_file, from_record
from novelink.serve.answers import MEDIA_TYPES, written
from novelink.serve.bodies import JSON, parsed_json
from novelink.serve.problems import Problem, stopping
from novelink.serve.rest import parsed_body, service_of
from novelink.view.page import SCRIPTS, asset, shell, style_sheet
from novelink.view.payload import page_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.curation import Decision
    from novelink.document import Document
    from novelink.serve.jobs import Jobs
    from novelink.serve.service import Service

router = APIRouter()

WEB_SCRIPTS = (*SCRIPTS, "intake.js")
Wanted = Annotated[str, Query(alias="format", description="A format of /v1/schema.")]
Incomplete = Annotated[
    Literal["skip", "drop", "keep"],
    Query(
        description="What becomes of documents with undecided relations: left out, written "
        "without these, or written with these as predicted."
    ),
]


def _jobs(request: Request) -> Jobs:
    jobs: Jobs = request.app.state.jobs
    return jobs


@router.get("/", include_in_schema=False)
async def page() -> HTMLResponse:
    """The application."""
    return HTMLResponse(shell(WEB_SCRIPTS))


@router.get("/assets/{name}", include_in_schema=False)
async def assets(name: str) -> Response:
    """Scripts and styles: the same files that ``novelink view`` puts into its page."""
    headers = {"Cache-Control": "no-cache"}
    if name == "page.css":
        return Response(style_sheet(), media_type="text/css", headers=headers)
    if name in WEB_SCRIPTS:
        return Response(asset(name), media_type="text/javascript", headers=headers)
    raise Problem(404, "not_found", "there is no such file", "Reload the page")


@router.post("/v1/jobs", status_code=202, summary="Start a job", tags=["jobs"])
async def start_job(
    request: Request, name: Annotated[str, Query(max_length=200)] = ""
) -> JSONResponse:
    """Read documents in the background; the body is that of `/v1/extract`."""
    service = service_of(request)
    if service.stopping.is_set():
        raise stopping()
    parsed = await parsed_body(request, service.settings.max_job_documents)
    first = parsed.documents[0]
    title = first.passages[0].text[:80] if first.passages else first.id
    job = _jobs(request).start(parsed, name or title)
    return JSONResponse(job.status(), 202, {"Location": f"/v1/jobs/{job.id}"})


@router.get("/v1/jobs", summary="Finished jobs", tags=["jobs"])
async def list_jobs(request: Request) -> JSONResponse:
    """Finished jobs that are kept, the newest first."""
    return JSONResponse({"jobs": await asyncio.to_thread(service_of(request).store.jobs)})


def _unknown(job_id: str) -> Problem:
    return Problem(
        404,
        "no_such_job",
        f"there is no job '{job_id[:40]}'",
        "It may have been forgotten, or the server was started without its database: start again",
    )


async def _kept(request: Request, job_id: str) -> tuple[str, dict[str, Any]]:
    found = await asyncio.to_thread(service_of(request).store.job, job_id)
    if found is None:
        raise _unknown(job_id)
    return found


@router.get("/v1/jobs/{job_id}", summary="State of a job", tags=["jobs"])
async def job_status(request: Request, job_id: str) -> JSONResponse:
    """Running, done or failed, with counts."""
    job = _jobs(request).find(job_id)
    if job is not None:
        return JSONResponse(job.status())
    name, facts = await _kept(request, job_id)
    return JSONResponse({"id": job_id, "name": name, "state": "done", **facts})


@router.get("/v1/jobs/{job_id}/events", summary="Progress of a job", tags=["jobs"])
async def job_events(request: Request, job_id: str) -> StreamingResponse:
    """Server-sent events: `progress`, then `done`, `failed` or `stopping`."""
    jobs = _jobs(request)
    job = jobs.find(job_id)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    if job is not None:
        return StreamingResponse(jobs.events(job), media_type="text/event-stream", headers=headers)
    name, facts = await _kept(request, job_id)
    done = json.dumps({"id": job_id, "name": name, "state": "done", **facts})
    return StreamingResponse(
        iter([f"event: done\ndata: {done}\n\n"]), media_type="text/event-stream", headers=headers
    )


@router.get("/v1/jobs/{job_id}/page", include_in_schema=False)
async def job_page(request: Request, job_id: str) -> Response:
    """Data of the page; its form may change with any version."""
    name, facts = await _kept(request, job_id)
    service = service_of(request)

    def build() -> bytes:
        data = page_data(
            service.store.documents(job_id),
            title=name,
            schema=service.schema,
        )
        data["key"] = job_id
        return json.dumps({**data, "facts": facts}, ensure_ascii=False).encode("utf-8", "replace")

    return Response(await asyncio.to_thread(build), media_type="application/json")


@router.delete("/v1/jobs/{job_id}", summary="Forget a job", tags=["jobs"])
async def forget_job(request: Request, job_id: str) -> JSONResponse:
    """Forget a finished job, with its decisions."""
    if not await asyncio.to_thread(service_of(request).store.forget_job, job_id):
        raise _unknown(job_id)
    return JSONResponse({"forgotten": job_id})


@router.get("/v1/jobs/{job_id}/documents", summary="Results of a job", tags=["jobs"])
async def download(request: Request, job_id: str, answer_as: Wanted = "jsonl") -> Response:
    """Documents with relations as the model found them, in any format."""
    await _kept(request, job_id)
    documents = service_of(request).store.documents(job_id)
    return await _file(documents, answer_as, "relations")


@router.get("/v1/jobs/{job_id}/decisions", summary="Decisions of a job", tags=["curating"])
async def decisions(request: Request, job_id: str) -> JSONResponse:
    """The file that `novelink curate` and the page take."""
    await _kept(request, job_id)
    found = await asyncio.to_thread(service_of(request).store.decisions, job_id)
    return JSONResponse(decision_file(found))


async def _decision(request: Request) -> Decision:
    record = parsed_json(await request.body())
    return from_record(record, schema=service_of(request).schema)


@router.put("/v1/jobs/{job_id}/decisions", summary="Decide", tags=["curating"])
async def decide(request: Request, job_id: str) -> JSONResponse:
    """Keep one decision, in place of an earlier one on the same relation."""
    await _kept(request, job_id)
    decision = await _decision(request)
    service = service_of(request)
    await asyncio.to_thread(service.store.decide, job_id, decision)
    service.metrics.decisions.labels(decision.action).inc()
    return JSONResponse({"kept": 1})


@router.delete("/v1/jobs/{job_id}/decisions", summary="Undo", tags=["curating"])
async def undo(request: Request, job_id: str) -> JSONResponse:
    """Forget the decision on the relation in the body; without a body all of the job."""
    await _kept(request, job_id)
    decision = await _decision(request) if await request.body() else None
    count = await asyncio.to_thread(service_of(request).store.undo, job_id, decision)
    return JSONResponse({"forgotten": count})


@router.get("/v1/jobs/{job_id}/gold", summary="Gold data of a job", tags=["curating"])
async def job_gold(
    request: Request, job_id: str, answer_as: Wanted = "pubtator", incomplete: Incomplete = "skip"
) -> Response:
    """Documents with the relations that people confirmed, for `novelink train`."""
    await _kept(request, job_id)
    return await _gold(service_of(request), [job_id], answer_as, incomplete)


@router.get("/v1/gold", summary="Gold data of all jobs", tags=["curating"])
async def all_gold(
    request: Request, answer_as: Wanted = "pubtator", incomplete: Incomplete = "skip"
) -> Response:
    """As for one job; of a document in several jobs the newest counts."""
    service = service_of(request)
    jobs = await asyncio.to_thread(service.store.jobs)
    ids = [job["id"] for job in jobs if job["decisions"]]
    return await _gold(service, ids, answer_as, incomplete)


async def _gold(
    service: Service, job_ids: list[str], format_name: str, incomplete: str
) -> Response:
    reports: list[CurationReport] = []

    def build() -> Iterator[Document]:
        seen: set[str] = set()
        for job_id in job_ids:
            report = CurationReport()
            reports.append(report)
            found = curated(
                service.store.documents(job_id),
                service.store.decisions(job_id),
                incomplete=incomplete,
                report=report,
            )
            for document in found:
                if document.id not in seen:
                    seen.add(document.id)
                    yield document

    answer = await _file(build(), format_name, "gold")
    lines = [line for report in reports for line in report.lines(incomplete)]
    answer.headers["X-NoveLink-Report"] = json.dumps(lines)
    return answer


async def _file(documents: Iterator[Document], format_name: str, stem: str) -> Response:
    if format_name not in MEDIA_TYPES or format_name == JSON:
        raise Problem(
            422,
            "unknown_format",
            f"'{format_name[:40]}' is no format of files",
            f"Formats are: {', '.join(name for name in MEDIA_TYPES if name != JSON)}",
        )
    media_type, ending = MEDIA_TYPES[format_name]
    body = await asyncio.to_thread(written, documents, format_name)
    headers = {"Content-Disposition": f'attachment; filename="{stem}.{ending}"'}
    return Response(body, media_type=media_type, headers=headers)
