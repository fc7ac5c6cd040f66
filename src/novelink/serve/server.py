"""The process that listens."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

import uvicorn

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

    async def serve(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Serve until stopped."""
        self.loop = asyncio.get_running_loop()
        await super().serve(sockets)  # type: ignore[arg-type]


def run(app: FastAPI, host: str, port: int, grace: int) -> None:
    """Listen until a signal stops it.

    Args:
        app: of :func:`novelink.serve.app.create_app`.
        host: address to listen on.
        port: 0 takes any free one.
        grace: seconds that running requests get at the end.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=grace,
        server_header=False,
    )
    # uvicorn hands the signal on once all is finished: that is a clean end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Server(config).run()
