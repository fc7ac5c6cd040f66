"""The command as a process: it starts, answers, and stops when asked to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import uvicorn
from click.testing import CliRunner
from waiting import wait_until

from novelink.cli.serve import command
from novelink.errors import SettingsError
from novelink.serve.answers import written
from novelink.serve.app import create_app


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to handle")
def test_sigterm_lets_a_running_request_finish(tiny_bundle, small_documents, tmp_path):
    port = free_port()
    arguments = ["serve", "--model", str(tiny_bundle), "--port", str(port), "--threads", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "novelink", *arguments],
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        text=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                httpx.get(f"{address}/readyz", trust_env=False)
                break
            except httpx.TransportError:
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.1)
        many = [
            type(d)(f"{d.id}-{n}", d.passages, d.mentions)
            for n in range(60)
            for d in small_documents
        ]
        body = written(many, "jsonl")
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(
                httpx.post,
                f"{address}/v1/extract",
                content=body,
                headers={"Content-Type": "application/x-ndjson"},
                timeout=60,
                trust_env=False,
            )
            while not running.done():
                waiting = httpx.get(f"{address}/readyz", trust_env=False).json()
                if waiting.get("waiting_documents"):
                    break
            process.send_signal(signal.SIGTERM)
            answer = running.result()
        assert answer.status_code == 200
        assert answer.text.count("\n") == len(many)
        assert process.wait(30) == 0
        assert "listening on" in process.stderr.read()
        assert (tmp_path / "novelink.sqlite").exists()
    finally:
        process.kill()
        process.wait()


def test_what_a_gone_client_asked_for_leaves_the_queue(gated):
    app = create_app(gated)
    batcher = app.state.service.batcher
    socket_ = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket_]})
    thread.start()
    address = f"http://127.0.0.1:{socket_.getsockname()[1]}/v1/extract"

    def ask(name, timeout):
        body = {"id": name, "title": "A"}
        return httpx.post(address, json=body, timeout=timeout, trust_env=False)

    try:
        gated.gate.clear()
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(ask, "stays", 30)
            wait_until(lambda: gated.batches)
            with pytest.raises(httpx.ReadTimeout):
                ask("goes", 0.3)
            wait_until(lambda: batcher.waiting == 0)
            gated.gate.set()
            assert first.result().status_code == 200
        assert gated.batches == [["stays"]]
    finally:
        gated.gate.set()
        server.should_exit = True
        thread.join()


def test_a_missing_extra_is_said_with_the_command_that_installs_it():
    code = (
        "import sys; sys.modules['fastapi'] = None; from novelink.cli import main; main(['serve'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'novelink[serve]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_said_at_once(tiny_bundle):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(
            command, ["--port", str(port), "--model", str(tiny_bundle), "--database", ":memory:"]
        )
    assert isinstance(result.exception, SettingsError)
    assert "--port" in str(result.exception)
