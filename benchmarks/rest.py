"""Throughput of the REST service under 64 clients, against `extract` on the same documents.

Both run in the same call, one after the other, with the same model and threads. The clients run in
a process of their own and share the machine's cores with the server.

    python benchmarks/rest.py corpus.pubtator --model NAME --clients 64

Writes benchmarks/results/rest.json.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import io
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx

from novelink.extractor import Extractor
from novelink.formats import read, write

RESULTS = Path(__file__).parent / "results" / "rest.json"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def packed(documents):
    target = io.BytesIO()
    write(documents, target, "jsonl")
    return target.getvalue()


async def wait_ready(address, process):
    async with httpx.AsyncClient(trust_env=False) as client:
        while process.poll() is None:
            try:
                if (await client.get(f"{address}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)
    sys.exit("the server did not start")


async def load(address, bodies, clients):
    """Send all bodies from so many clients; statuses, seconds of each request, seconds in all."""
    queue = asyncio.Queue()
    for body in bodies:
        queue.put_nowait(body)
    statuses, times = Counter(), []

    async def run():
        async with httpx.AsyncClient(trust_env=False, timeout=600) as client:
            while not queue.empty():
                body = queue.get_nowait()
                while True:
                    began = time.perf_counter()
                    answer = await client.post(
                        f"{address}/v1/extract",
                        content=body,
                        headers={"Content-Type": "application/x-ndjson"},
                    )
                    statuses[answer.status_code] += 1
                    if answer.status_code not in {429, 503}:
                        break
                    await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
                times.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(run() for _ in range(clients)))
    return statuses, sorted(times), time.perf_counter() - began


def extract_alone(documents, model, threads):
    extractor = Extractor.load(model, threads=threads)
    list(extractor.extract(documents[:5]))
    began = time.perf_counter()
    found = list(extractor.extract(documents))
    return time.perf_counter() - began, sum(len(document.relations) for document in found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus")
    parser.add_argument("--model")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--documents", type=int, default=500)
    parser.add_argument("--per-request", type=int, default=4)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    documents = []
    for document in read(options.corpus):
        documents.append(document)
        if len(documents) == options.documents:
            break
    size = options.per_request
    bodies = [packed(documents[i : i + size]) for i in range(0, len(documents), size)]

    before, relations = extract_alone(documents, options.model, options.threads)
    port = free_port()
    command = [sys.executable, "-m", "novelink", "serve", "--port", str(port)]
    command += ["--threads", str(options.threads), "--database", ":memory:"]
    command += ["--model", options.model] if options.model else []
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            asyncio.run(wait_ready(address, process))
            statuses, times, seconds = asyncio.run(load(address, bodies, options.clients))
        finally:
            process.terminate()
            process.wait()
    after, _ = extract_alone(documents, options.model, options.threads)
    # The machine's speed drifts: extract is taken before and after, and their mean counts.
    alone = (before + after) / 2
    result = {
        "corpus": Path(options.corpus).name,
        "model": options.model,
        "machine": platform.platform(),
        "python": platform.python_version(),
        "onnxruntime": importlib.metadata.version("onnxruntime"),
        "cores": os.cpu_count(),
        "clients": options.clients,
        "documents": len(documents),
        "requests": len(bodies),
        "relations": relations,
        "extract_s": [round(before, 2), round(after, 2)],
        "serve_s": round(seconds, 2),
        "extract_documents_per_s": round(len(documents) / alone, 1),
        "serve_documents_per_s": round(len(documents) / seconds, 1),
        "share_of_extract": round(alone / seconds, 3),
        "statuses": {str(status): count for status, count in statuses.items()},
        "latency_s": {
            "median": round(times[len(times) // 2], 2),
            "p95": round(times[int(len(times) * 0.95)], 2),
        },
    }
    print(json.dumps(result, indent=1))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
