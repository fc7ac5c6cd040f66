"""Errors of the service: a status, and a body that says what to do.

.. code-block:: json

    {"error": {"code": "too_many_documents", "message": "…", "remedy": "…"}}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from novelink.errors import (
    DataError,
    MissingExtraError,
    ModelError,
    NovelinkError,
    SettingsError,
    one_line,
)

if TYPE_CHECKING:
    from starlette.requests import Request


class Problem(Exception):  # noqa: N818 (it is an answer, not a fault of the program)
    """An answer that is no result.

    Args:
        status: of HTTP.
        code: for programs; stays the same between versions.
        message: what is wrong.
        remedy: what to do about it.
        retry_after: seconds, for 429 and 503.
    """

    def __init__(
        self, status: int, code: str, message: str, remedy: str, *, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        # It may quote what was sent, which JSON cannot always hold.
        self.message = one_line(message)
        self.remedy = remedy
        self.retry_after = retry_after

    @property
    def body(self) -> dict[str, Any]:
        """The JSON body."""
        error = {"code": self.code, "message": self.message, "remedy": self.remedy}
        return {"error": error}

    def response(self) -> JSONResponse:
        """The answer."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse(self.body, self.status, headers)


def too_large(code: str, what: str, limit: float, remedy: str) -> Problem:
    """A limit of the server was exceeded."""
    return Problem(413, code, f"{what}; this server takes {limit:,.0f}", remedy)


def unknown_fault() -> Problem:
    """A fault of the program; where it happened is in the server's log."""
    return Problem(500, "fault", "a fault of the program", "See the server's log, and report it")


def stopping() -> Problem:
    """The server is going down."""
    return Problem(
        503,
        "stopping",
        "the server is stopping and takes no new work",
        "Try again when it is back, or ask another instance",
        retry_after=30,
    )


def from_error(error: NovelinkError) -> Problem:
    """What an error of the library means to a client."""
    remedy = error.remedy or "Correct the input and send it again"
    place = "" if error.line is None else f"line {error.line}: "
    message = f"{place}{error.message}"
    if isinstance(error, DataError):
        return Problem(422, "bad_document", message, remedy)
    if isinstance(error, SettingsError):
        return Problem(422, "bad_setting", message, remedy)
    if isinstance(error, MissingExtraError | ModelError):
        return Problem(503, "not_available", message, remedy)
    return Problem(503, "service_failed", message, remedy)


async def on_problem(_: Request, problem: Exception) -> JSONResponse:
    """Answer a :class:`Problem`."""
    assert isinstance(problem, Problem)
    return problem.response()


async def on_library_error(_: Request, error: Exception) -> JSONResponse:
    """Answer an error of the library."""
    assert isinstance(error, NovelinkError)
    return from_error(error).response()


async def on_http_error(_: Request, error: Exception) -> JSONResponse:
    """Answer wrong paths and methods in the same form."""
    assert isinstance(error, HTTPException)
    remedies = {
        404: "See /openapi.json for what there is",
        405: "See /openapi.json for the methods of this path",
    }
    remedy = remedies.get(error.status_code, "See /openapi.json")
    code = {404: "not_found", 405: "wrong_method"}.get(error.status_code, "http_error")
    answer = Problem(error.status_code, code, str(error.detail), remedy).response()
    answer.headers.update(error.headers or {})
    return answer


async def on_unknown_fault(_: Request, __: Exception) -> JSONResponse:
    """Answer a fault of the program; the traceback is in the server's log."""
    return unknown_fault().response()


async def on_bad_parameter(_: Request, error: Exception) -> JSONResponse:
    """Answer parameters that FastAPI refuses."""
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    parts = [f"{'.'.join(map(str, item['loc'][1:]))}: {item['msg']}" for item in faults]
    return Problem(
        422, "bad_parameter", "; ".join(parts), "See /openapi.json for values"
    ).response()
