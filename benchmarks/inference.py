"""How fast and how large `extract` is: documents and pairs per second, peak memory.

    python benchmarks/inference.py CORPUS [--model NAME|DIR] [--threads 1 2] [--documents 100]

Each thread count runs in a process of its own, so that its peak memory is its own. Start-up
(imports, opening the model) is measured apart from the steady rate. The first documents warm up
and are not counted. Prints a table and writes benchmarks/results/inference.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "inference.json"
WARM_UP = 3  # documents


def measure(corpus: str, model: str | None, threads: int, documents: int, seed: int) -> dict:
    """One run in this process."""
    began = time.perf_counter()
    from novelink import Extractor, read

    extractor = Extractor.load(model, threads=threads)
    loaded = time.perf_counter()
    chosen = list(read(corpus))
    random.Random(seed).shuffle(chosen)
    chosen = chosen[: WARM_UP + documents]
    for _ in extractor.extract(chosen[:WARM_UP]):
        pass
    memory_loaded = peak_bytes()
    start, start_cpu = time.perf_counter(), time.process_time()
    for _ in extractor.extract(chosen[WARM_UP:]):
        pass
    seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    report = extractor.report
    return {
        "threads": threads,
        "documents": report.documents,
        "pairs": report.pairs,
        "relations": report.relations,
        "cut_documents": report.cut_documents,
        "load_seconds": round(loaded - began, 3),
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu, 3),
        "documents_per_second": round(report.documents / seconds, 3),
        "pairs_per_second": round(report.pairs / seconds, 2),
        "peak_memory_mb": round(peak_bytes() / 1e6, 1),
        "peak_memory_after_warm_up_mb": round(memory_loaded / 1e6, 1),
    }


def peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def machine() -> dict:
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        processor = names[0] if names else processor
    return {"processor": processor, "cores": os.cpu_count(), "system": platform.system()}


def versions() -> dict:
    from importlib.metadata import version

    packages = ("novelink", "onnxruntime", "tokenizers", "numpy")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("corpus", help="documents with marked entities, any format")
    parser.add_argument("--model", help="embedded name or folder; the default model otherwise")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count() or 1])
    parser.add_argument("--documents", type=int, default=100, help="most documents to time")
    parser.add_argument("--seed", type=int, default=1, help="draws the documents")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        run = measure(
            options.corpus, options.model, options.threads[0], options.documents, options.seed
        )
        print(json.dumps(run))
        return
    from novelink.runtime.bundle import load_bundle

    bundle = load_bundle(options.model)
    runs = []
    for threads in sorted(set(options.threads)):
        command = [sys.executable, __file__, options.corpus, "--one", "--threads", str(threads)]
        command += ["--documents", str(options.documents), "--seed", str(options.seed)]
        command += ["--model", options.model] if options.model else []
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        runs.append(json.loads(done.stdout))
        print(
            f"{threads} threads: {runs[-1]['documents_per_second']:.2f} documents/s, "
            f"{runs[-1]['pairs_per_second']:.1f} pairs/s, "
            f"peak {runs[-1]['peak_memory_mb']:.0f} MB, loads in {runs[-1]['load_seconds']:.2f} s"
        )
    result = {
        "corpus": Path(options.corpus).name,
        "seed": options.seed,
        "model": {"name": bundle.name, "size": bundle.size, "max_length": bundle.max_length},
        "machine": machine(),
        "versions": versions(),
        "runs": runs,
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"written to {options.output}")


if __name__ == "__main__":
    main()
