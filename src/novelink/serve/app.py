"""The ASGI application."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from novelink import __version__
from novelink.errors import NovelinkError
from novelink.serve import problems, rest, web
from novelink.serve.guard import Guard
from novelink.serve.jobs import Jobs
from novelink.serve.service import Service
from novelink.serve.settings import ServeSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from novelink.extractor import Extractor

_DESCRIPTION = """Relations between genes, diseases, chemicals and variants in biomedical texts.

Errors have the form `{"error": {"code", "message", "remedy"}}`: 413 for a limit
of the server, 422 for bad input, 429 while too much waits, 503 while something
is not available. 429 and 503 say in `Retry-After` when to come again.
"""


def create_app(
    extractor: Extractor,
    settings: ServeSettings | None = None,
    *,
    make_annotator: Callable[[str], Any] | None = None,
) -> FastAPI:
    """The application around one model.

    Args:
        extractor: the model; used by one thread.
        settings: limits and places.
        make_annotator: another maker of annotators than
            :func:`novelink.annotate.annotator`.

    Raises:
        DataError: the database cannot be used.
    """
    settings = settings or ServeSettings()
    service = Service(extractor, settings, make_annotator)
    jobs = Jobs(service)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        try:
            yield
        finally:
            service.refuse_new()
            await jobs.stop()
            await service.stop()

    app = FastAPI(
        title="NoveLink",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        # Their pages load scripts from elsewhere; this server works without a network.
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    app.state.jobs = jobs
    app.include_router(rest.router)
    app.include_router(web.router)
    app.add_exception_handler(problems.Problem, problems.on_problem)
    app.add_exception_handler(NovelinkError, problems.on_library_error)
    app.add_exception_handler(HTTPException, problems.on_http_error)
    app.add_exception_handler(RequestValidationError, problems.on_bad_parameter)
    app.add_exception_handler(Exception, problems.on_unknown_fault)
    app.add_middleware(Guard, settings=settings, metrics=service.metrics)
    return app
