"""Speed, memory and start-up of `extract`: reading once against reading per pair, in one run.

    python benchmarks/inference.py Test.PubTator --threads 2
    python benchmarks/inference.py Train.PubTator Dev.PubTator --memory
    python benchmarks/inference.py Test.PubTator --shipped-only    # after a change of the models

Made for the run, with the architecture of the shipped encoder: a model that reads a document once
and one that reads it per pair, both in float32 and int8, and a per-pair model of the size of
BERT-base. Heads, and all of the latter, have random weights: the time does not depend on them.

once        documents a second of `extract`, whole corpus, best of several passes
per_pair    the same for per-pair reading; in BERT-base's size also with every copy filled up to
            512 tokens, as published systems read. A pass over all pairs would take hours, so
            pairs drawn at random are scored, and their mean time is taken times the corpus'
            pairs: the figures say so ("extrapolated")
bound       the bare encoder's matrix products at the documents' lengths, alone, in the same
            number format; one thread, as is the reading that is compared with it
start       `novelink extract` of one abstract, the whole process, with the default model
shipped     `extract` with the models that come along, some documents
curve       milliseconds against tokens and pairs on one thread, documents joined to longer ones
            included
memory      (with --memory) resident memory while many abstracts run through, and its peak

Every measurement has a process of its own, one after the other. Writes a table, and
benchmarks/results/inference.json; memory is added to what stands there. Needs the extra "train" to
make the models.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "inference.json"
SHIPPED = ("compact-entity", "compact-pair", "compact")
WARM_UP = 5  # documents


def corpus(options):
    from novelink import read

    documents = [document for path in options.corpus for document in read(path)]
    return documents[: options.documents] if options.documents else documents


def extractor(options, threads=None):
    from novelink import Extractor

    return Extractor.load(options.model, threads=threads or options.threads)


def peak_mb():
    """Peak resident memory of this process."""
    status = Path("/proc/self/status")
    if status.exists():
        # getrusage's figure would begin at the parent's peak.
        return int(re.search(r"VmHWM:\D*(\d+)", status.read_text("utf-8"))[1]) / 1000
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def resident_mb():
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    return int(re.search(r"VmRSS:\D*(\d+)", status.read_text("utf-8"))[1]) / 1000


def step_documents(options):
    """Whole documents through `extract`."""
    began = time.perf_counter()
    chosen = extractor(options)
    loaded = time.perf_counter() - began
    documents = corpus(options)
    list(chosen.extract(documents[:WARM_UP]))
    passes = []
    for _ in range(options.repeats):
        start, start_cpu = time.perf_counter(), time.process_time()
        list(chosen.extract(documents))
        passes.append((time.perf_counter() - start, time.process_time() - start_cpu))
    seconds, cpu = min(passes)
    report = chosen.report
    return {
        "threads": options.threads,
        "documents": report.documents,
        "pairs": report.pairs,
        "load_seconds": round(loaded, 3),
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu, 3),
        "all_passes_seconds": [round(wall, 3) for wall, _ in passes],
        "documents_per_second": round(report.documents / seconds, 3),
        "pairs_per_second": round(report.pairs / seconds, 1),
        "peak_memory_mb": round(peak_mb(), 1),
    }


def step_pairs(options):
    """Pairs drawn from the corpus, per-pair reading, extrapolated to all of its pairs."""
    import random

    from novelink.pairs import candidate_pairs

    chosen = extractor(options)
    documents = corpus(options)
    every = [(document, pair) for document in documents for pair in candidate_pairs(document)]
    drawn = random.Random(options.seed).sample(every, min(options.pairs, len(every)))
    reading, model = chosen._reader.reading, chosen._reader.model  # noqa: SLF001 (pairs, not documents, are timed)
    model.logits(reading.encode(*_one(drawn[0])))
    start = time.perf_counter()
    copies = [copy for one in drawn for copy in reading.encode(*_one(one))]
    model.logits(copies)
    seconds = time.perf_counter() - start
    per_document = seconds / len(drawn) * len(every) / len(documents)
    padded = _padded_seconds(model, copies) if options.padded else None
    more = {}
    if padded is not None:
        more = {
            "padded_to_512_seconds_per_pair": round(padded / len(drawn), 5),
            "padded_to_512_documents_per_second": round(
                len(drawn) * len(documents) / (padded * len(every)), 5
            ),
        }
    return more | {
        "threads": options.threads,
        "extrapolated": f"{len(drawn)} pairs drawn at random of {len(every)}",
        "documents": len(documents),
        "tokens_per_pair": round(statistics.mean(len(copy.ids) for copy in copies), 1),
        "seconds_per_pair": round(seconds / len(drawn), 5),
        "documents_per_second": round(1 / per_document, 5),
        "peak_memory_mb": round(peak_mb(), 1),
    }


def _padded_seconds(model, copies):
    """The same copies filled up to 512 tokens, as the published per-pair systems read them."""
    import numpy as np

    from novelink.runtime.pair_model import feed

    def run(copy):
        filled = {
            name: np.pad(value, ((0, 0), (0, 512 - value.shape[1])))
            for name, value in feed([copy]).items()
        }
        model._session.run(filled)  # noqa: SLF001 (the reader itself never pads)

    start = time.perf_counter()
    list(map(run, copies) if model._pool is None else model._pool.map(run, copies))  # noqa: SLF001
    return time.perf_counter() - start


def _one(drawn):
    document, pair = drawn
    return document, [pair]


def step_bound(options):
    """The encoder's products alone at the corpus' lengths, against reading, on one thread."""
    from inference_bound import products_seconds

    from novelink.pairs import candidate_pairs

    chosen = extractor(options, threads=1)
    documents = [one for one in corpus(options) if candidate_pairs(one)]
    reader = chosen._reader  # noqa: SLF001 (lengths as the model reads them)
    lengths = [
        (len(window), block.pairs)
        for document in documents
        for block in reader.blocks(document, candidate_pairs(document))
        for window in block.whole.windows
    ]
    list(chosen.extract(documents[:WARM_UP]))
    # In turns, so that a busy moment of the machine falls on both.
    bounds, readings = [], []
    for _ in range(options.repeats):
        bounds.append(products_seconds([length for length, _ in lengths], options.precision))
        start = time.perf_counter()
        list(chosen.extract(documents))
        readings.append(time.perf_counter() - start)
    return {
        "threads": 1,
        "precision": options.precision,
        "documents": len(documents),
        "products_ms_per_document": round(1000 * min(bounds) / len(documents), 2),
        "extract_ms_per_document": round(1000 * min(readings) / len(documents), 2),
        "share_of_bound": round(min(bounds) / min(readings), 3),
    }


def step_shipped(options):
    """`extract` as users run it, with a model that comes along."""
    chosen = extractor(options)
    documents = corpus(options)[: options.shipped]
    list(chosen.extract(documents[:1]))
    start, start_cpu = time.perf_counter(), time.process_time()
    list(chosen.extract(documents, evidence=chosen.gives_evidence))
    seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    report = chosen.report
    return {
        "threads": options.threads,
        "evidence": chosen.gives_evidence,
        "documents": report.documents,
        "pairs": report.pairs,
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu, 3),
        "seconds_per_document": round(seconds / report.documents, 4),
        "documents_per_second": round(report.documents / seconds, 3),
        "peak_memory_mb": round(peak_mb(), 1),
    }


def step_memory(options):
    """Abstracts that end at any sentence through `extract`, so that hardly two are of one size."""
    import random

    from inference_bound import shortened

    documents = corpus(options)
    count = options.memory_documents
    draw = random.Random(options.seed)

    def stream():
        for number in range(count):
            document = shortened(draw.choice(documents), draw)
            yield replace(document, id=str(number))

    chosen = extractor(options)
    every = max(1, count // 20)
    points = []
    start = time.perf_counter()
    for number, _ in enumerate(chosen.extract(stream(), evidence=chosen.gives_evidence), start=1):
        if number % every == 0:
            points.append({"documents": number, "resident_mb": resident_mb(), "peak_mb": peak_mb()})
    seconds = time.perf_counter() - start
    tenth = next(point for point in points if point["documents"] >= count / 10)
    return {
        "model": chosen.name,
        "threads": options.threads,
        "documents": count,
        "pairs": chosen.report.pairs,
        "seconds": round(seconds, 1),
        "peak_memory_mb": round(peak_mb(), 1),
        "grown_after_first_tenth_mb": round(points[-1]["peak_mb"] - tenth["peak_mb"], 1),
        "points": points,
    }


def step_start(options):
    """The command line on one abstract."""
    from novelink.formats import write

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "one.pubtator"
        write(corpus(options)[:1], source, "pubtator")
        target = Path(folder) / "one.jsonl"
        command = [sys.executable, "-m", "novelink", "extract", str(source), "-o", str(target)]
        command += ["--model", options.model] if options.model else []
        seconds = []
        for _ in range(options.starts + 1):
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            seconds.append(time.perf_counter() - start)
    warm = sorted(seconds[1:])
    return {
        "runs": len(warm),
        "first_seconds": round(seconds[0], 3),
        "median_seconds": round(statistics.median(warm), 3),
        "best_seconds": round(warm[0], 3),
    }


def step_curve(options):
    """Tokens, pairs and milliseconds of single documents, some joined to long ones."""
    from inference_bound import joined

    from novelink.pairs import candidate_pairs

    chosen = extractor(options, threads=1)
    documents = [one for one in corpus(options) if candidate_pairs(one)]
    counts = (2, 4, 8, 16) if chosen.gives_evidence else ()
    long = [joined(documents, count, options.seed + count) for count in counts]
    list(chosen.extract(documents[: WARM_UP if chosen.gives_evidence else 1]))
    points = []
    for document in (*documents[: options.curve], *long):
        pairs = candidate_pairs(document)
        tokens = sum(block.tokens for block in chosen._reader.blocks(document, pairs))  # noqa: SLF001 (as the model reads it)
        if not chosen.gives_evidence:
            tokens = round(tokens / len(pairs))  # of one copy
        times = []
        while len(times) < 2 and sum(times) < 1:
            start = time.perf_counter()
            list(chosen.extract([document]))
            times.append(time.perf_counter() - start)
        points.append([tokens, len(pairs), round(1000 * min(times), 2)])
    return {"columns": ["tokens", "pairs", "milliseconds"], "points": points}


STEPS = {
    name.removeprefix("step_"): function
    for name, function in list(globals().items())
    if name.startswith("step_")
}


def machine():
    """That of other results, and how busy it is."""
    import quality  # loads the package, which the measured processes must not

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return quality.machine() | {"load_at_start": load}


def versions():
    names = ("novelink", "numpy", "onnxruntime", "tokenizers")
    found = {name: importlib.metadata.version(name) for name in names}
    return {"python": platform.python_version()} | found


_COUNTS = ("curve", "shipped", "memory-documents")


def measuring(options):
    """What measures one row in a process of its own."""

    def measure(step, model, **more):
        command = [sys.executable, __file__, *options.corpus]
        command += ["--step", step, "--model", str(model)]
        for name in ("threads", "documents", "repeats", "seed", "pairs", "starts", *_COUNTS):
            command += [f"--{name}", str(more.pop(name, getattr(options, name.replace("-", "_"))))]
        for name, value in more.items():
            command += [f"--{name}", str(value)]
        # Arithmetic libraries that are not used here must not start threads of their own.
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE)}
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=environment
        )
        found = json.loads(done.stdout)
        short = {key: value for key, value in found.items() if key not in ("points", "columns")}
        print(f"{step:10} {Path(model).name:15} {json.dumps(short)}", flush=True)
        return found

    return measure


def shipped(measure, options):
    """Rows that depend on which models come along."""
    from novelink.runtime.bundle import default_name

    return {
        "start": measure("start", default_name()),
        "shipped": {name: measure("shipped", name) for name in options.models},
    }


def run_all(options, models):
    """All rows but the memory of a long stream."""
    measure = measuring(options)
    once = {name: measure("documents", models / f"document-{name}") for name in ("int8", "fp32")}
    per_pair = {name: measure("pairs", models / f"pair-{name}") for name in ("int8", "fp32")}
    base = measure("pairs", models / "base-fp32", pairs=options.base_pairs, padded=1)
    at_512 = {"documents_per_second": base["padded_to_512_documents_per_second"]}
    rows = {
        "once": once,
        "per_pair": per_pair,
        "per_pair_base_size": {"fp32": base},
        "bound": {
            name: measure("bound", models / f"document-{name}", precision=name)
            for name in ("int8", "fp32")
        },
        **shipped(measure, options),
        "curve": {
            "document": measure("curve", models / "document-int8"),
            "pair": measure("curve", models / "pair-int8", curve=options.pair_curve),
        },
    }
    rows["ratios"] = {
        f"once_{name}_against_{other}": round(
            once[name]["documents_per_second"] / figures["documents_per_second"], 1
        )
        for name in once
        for other, figures in (
            ("base_size_fp32_per_pair_at_512_tokens", at_512),
            ("base_size_fp32_per_pair_unpadded", base),
            ("same_encoder_fp32_per_pair", per_pair["fp32"]),
            ("same_encoder_int8_per_pair", per_pair["int8"]),
        )
    }
    return rows


def keep(options, about, rows):
    """Write the rows over those of earlier runs, with where and with what they were made."""
    result = {}
    if options.output.exists():
        result = json.loads(options.output.read_text("utf-8"))
    if options.memory:
        rows["memory"] |= about
        result |= rows
    elif options.shipped_only:
        result |= {"shipped_run": about, **rows}
    else:
        result = about | rows | {name: result[name] for name in ("memory",) if name in result}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"written to {options.output}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", nargs="+", help="documents with marked entities, any format")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--documents", type=int, default=0, help="use the first N; 0: all")
    parser.add_argument("--repeats", type=int, default=3, help="passes, of which the best counts")
    parser.add_argument("--pairs", type=int, default=400, help="pairs drawn, compact encoder")
    parser.add_argument("--base-pairs", type=int, default=60, help="the same, size of BERT-base")
    parser.add_argument("--memory", action="store_true", help="measure memory, and nothing else")
    parser.add_argument("--memory-documents", type=int, default=10_000)
    parser.add_argument("--memory-model", default="compact", help="its model")
    parser.add_argument(
        "--shipped-only", action="store_true", help="measure the models that ship, nothing else"
    )
    parser.add_argument("--models", nargs="+", default=SHIPPED, help="those that come along")
    parser.add_argument("--shipped", type=int, default=20, help="documents for the shipped models")
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--curve", type=int, default=100, help="documents timed alone")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pair-curve", type=int, default=20, help="the same, read per pair")
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--step", choices=sorted(STEPS), help=argparse.SUPPRESS)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    parser.add_argument("--precision", help=argparse.SUPPRESS)
    parser.add_argument("--padded", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        print(json.dumps(STEPS[options.step](options)))
        return
    about = {
        "corpus": ", ".join(Path(path).name for path in options.corpus),
        "machine": machine(),
        "versions": versions(),
        "seed": options.seed,
    }
    if options.memory:
        rows = {"memory": measuring(options)("memory", options.memory_model)}
        keep(options, about, rows)
        return
    if options.shipped_only:
        keep(options, about, shipped(measuring(options), options))
        return
    with tempfile.TemporaryDirectory() as folder:
        made = [sys.executable, str(HERE / "inference_models.py"), folder]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
        rows = run_all(options, Path(folder))
    keep(options, about, rows)
    for name, value in rows["ratios"].items():
        print(f"{name:50} {value:10.1f} ×")


if __name__ == "__main__":
    main()
