"""What stands before every route: size of bodies, who asks, headers, counts."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect

from novelink.serve.access import Access
from novelink.serve.fault_log import log_fault
from novelink.serve.problems import Problem, too_large, unknown_fault

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from novelink.serve.metrics import Metrics
    from novelink.serve.settings import ServeSettings

LOOPBACK = ("localhost", "127.0.0.1", "::1")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
# What users sent and what was found in it is kept by no proxy and no browser.
_NOT_KEPT = (b"cache-control", b"no-store")

logger = logging.getLogger(__name__)


class Guard:
    """ASGI middleware.

    A server on loopback is in reach of every page that the user's browser has
    open. So requests must name this server in Host (against DNS rebinding),
    and what changes something must not come from another origin. No answer
    allows other origins to read it (there is no CORS).

    Args:
        app: what it stands before.
        settings: limits.
        metrics: takes counts.
    """

    def __init__(self, app: ASGIApp, settings: ServeSettings, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._hosts = {*LOOPBACK, *settings.hosts}
        self._access = Access(settings.token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request, hand it on, count its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500
        begun = False

        async def send_on(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status = message["status"]
                begun = True
                own = list(message["headers"])
                kept = any(name.lower() == b"cache-control" for name, _ in own)
                message["headers"] = [*own, *_HEADERS, *([] if kept else [_NOT_KEPT])]
            await send(message)

        try:
            self._check(scope)
            answer = self._access.check(scope)
            if answer is not None:
                await answer(scope, receive, send_on)
                return
            await self._app(scope, self._limited(receive), send_on)
        except ClientDisconnect:
            status = 499  # as web servers count those who left before the answer
        except Problem as problem:
            if begun:
                raise
            await problem.response()(scope, receive, send_on)
        except Exception as error:  # noqa: BLE001 (answered here, its place logged)
            # Here rather than further out: there, its message would go to the log, and the answer
            # would lack the headers.
            log_fault(logger, "a request failed", error)
            if begun:
                # Only the connection can tell the client; the server's own log tells the rest.
                raise RuntimeError("an answer was cut off") from None
            await unknown_fault().response()(scope, receive, send_on)
        finally:
            route = scope.get("route")
            path = getattr(route, "path", "other")
            self._metrics.requests.labels(path, scope["method"], str(status)).inc()
            self._metrics.seconds.labels(path).observe(time.perf_counter() - started)

    def _check(self, scope: Scope) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        if _part(f"//{host}", "hostname") not in self._hosts and "*" not in self._hosts:
            raise Problem(
                421,
                "wrong_host",
                f"this server is not known as '{host[:80]}'",
                "Start it with --allow-host NAME to serve it under that name",
            )
        origin = headers.get(b"origin")
        changes = scope["method"] not in {"GET", "HEAD", "OPTIONS"}
        if changes and origin is not None and _part(origin, "netloc") != host:
            raise Problem(
                403,
                "other_origin",
                "pages of other sites may not use this server",
                "Send the request from a program, or from this server's own page",
            )
        length = headers.get(b"content-length", "")
        if length.isdigit() and int(length) > self._settings.max_body:
            raise self._too_large()

    def _too_large(self) -> Problem:
        return too_large(
            "body_too_large",
            "the body is too large",
            self._settings.max_body,
            "Send the documents in several requests (the limit is in bytes)",
        )

    def _limited(self, receive: Receive) -> Receive:
        """Bodies without a stated length are counted as they come."""
        received = 0

        async def receive_on() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > self._settings.max_body:
                    raise self._too_large()
            return message

        return receive_on


def _part(url: str, name: str) -> str | None:
    """A part of a URL; None where it is none at all."""
    try:
        found: str | None = getattr(urlsplit(url), name)
    except ValueError:
        return None
    return found
