"""The process that listens."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from typing import TYPE_CHECKING

import uvicorn

from novelink.errors import SettingsError

if TYPE_CHECKING:
    from types import FrameType

    from fastapi import FastAPI


class Server(uvicorn.Server):
    """A server that tells the application at once when it is asked to stop.

    Streams of events then end, new requests are refused, and what has begun is
    finished within the time of grace.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle SIGINT and SIGTERM."""
        app = self.config.app
        # Signals interrupt the event loop's thread anywhere; the loop does the rest.
        self.loop.call_soon_threadsafe(app.state.service.refuse_new)  # type: ignore[union-attr]
        super().handle_exit(sig, frame)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until stopped."""
        self.loop = asyncio.get_running_loop()
        await super().serve(sockets)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: address or name of this machine.
        port: 0 takes any free one.

    Raises:
        SettingsError: the address is taken or not this machine's.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host}, port {port}: {error.strerror or error}",
            remedy="Choose another with --host or --port",
        ) from error


def run(app: FastAPI, listener: socket.socket, grace: int) -> None:
    """Serve until a signal stops it.

    Args:
        app: of :func:`novelink.serve.app.create_app`.
        listener: of :func:`listen`.
        grace: seconds that running requests get at the end.
    """
    config = uvicorn.Config(
        app,
        log_level="warning",
        timeout_graceful_shutdown=grace,
        server_header=False,
        # Paths hold what users named their jobs and papers.
        access_log=False,
    )
    # uvicorn hands the signal on once all is finished: that is a clean end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Server(config).run(sockets=[listener])
