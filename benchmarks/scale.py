"""Corpus runs measured: documents per second and core, 1, 2 and 4 workers, memory that stays flat.

    python benchmarks/scale.py [--documents 50000] [--model NAME|DIR] [--workers 1,2,4] [--keep DIR]

Makes a corpus of short abstracts from sentence templates of our own, as BioC XML in .tar.gz (the
form in which PubTator 3 publishes its annotations), and runs `novelink extract` over it once per
number of workers, each time into a fresh folder, to Parquet. Measured from outside: wall time, CPU
time of all processes, and the memory of each process every half second.

Checks (exit code 1 where one fails):
- every run writes the same bytes;
- 2 workers reach 1.8 × the rate of one on 2 cores, 4 workers 3.2 × on 4 (only where so many cores
  exist, and only meaningful on a machine that does nothing else);
- no process holds more than 64 MB more in the last third of its run than in the second.

`--long` makes abstracts of BioRED's size instead (about 1,500 characters and 50 mentions, and about
as many pairs that could be related). Writes benchmarks/results/scale.json, or scale-long.json.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import platform
import random
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from novelink import __version__
from novelink.document import Document, Mention
from novelink.formats import write
from novelink.schema import CELL_LINE, CHEMICAL, DISEASE, GENE, SPECIES, VARIANT

RESULTS = Path(__file__).parent / "results"
WANTED = {2: 1.8, 4: 3.2}
GROWTH_MB = 64
PER_ARCHIVE, PER_MEMBER = 10_000, 250

TITLES = (
    "{g} expression in patients with {d}",
    "Effect of {c} on {g} in a model of {d}",
    "{v} of {g} and the risk of {d}",
    "{c} and {c2} in the treatment of {d}",
    "{g} binds {g2} in {l} cells",
)
SENTENCES = (
    "{c} lowered the level of {g} in {s} with {d}.",
    "We found {v} in {g} in two of nine families with {d}.",
    "Loss of {g} was followed by a rise of {g2}.",
    "In {l} cells {c} had no effect on {g2}.",
    "Together, {c} and {c2} were better tolerated than {c} alone.",
    "Levels of {g} went with the stage of {d} at first visit.",
    "These data speak for a part of {g} in the course of {d}.",
    "No change was seen in {s} without {d2}.",
    "{d2} was more common under {c2}.",
    "The methods and the numbers of visits are given in a table.",
)
KINDS = {
    "g": (GENE, "{}", 20_000),
    "d": (DISEASE, "D{:06}", 4_000),
    "c": (CHEMICAL, "C{:06}", 9_000),
    "v": (VARIANT, "rs{}", 90_000),
    "s": (SPECIES, "{}", 30),
    "l": (CELL_LINE, "CVCL_{:04}", 300),
}
# How many of each kind a document speaks of: short, long. Long ones have about as many pairs that
# could be related as BioRED's abstracts (54 to 70).
ENTITIES = {"g": (2, 6), "d": (2, 4), "c": (2, 5), "v": (1, 2), "s": (1, 2), "l": (1, 1)}
SYLLABLES = ("ba", "co", "di", "fen", "gu", "lor", "mi", "nax", "pel", "ri", "sto", "tu", "vel")


def name_of(kind, number):
    """The invented name of an entity: the same number always has the same."""
    draw = random.Random(f"{kind}{number}")
    stem = "".join(draw.choices(SYLLABLES, k=draw.randint(2, 4)))
    return {
        "g": f"{stem[:4].upper()}{number % 9 + 1}",
        "d": f"{stem} disease",
        "c": f"{stem}ine",
        "v": f"c.{number}A>G",
        "s": f"{stem} mice",
        "l": f"{stem[:3].upper()}-{number}",
    }[kind]


def synthetic(number, *, long):
    """Document ``number``: a title and some sentences about a few entities."""
    draw = random.Random(number)
    pools = {}
    for slot, (kind, form, size) in KINDS.items():
        numbers = {min(int(draw.paretovariate(0.6)), size) for _ in range(ENTITIES[slot][long])}
        pools[slot] = [(name_of(slot, one), kind, form.format(one)) for one in sorted(numbers)]
    title = draw.choice(TITLES)
    sentences = draw.sample(SENTENCES, 2) if not long else draw.choices(SENTENCES, k=22)
    text, mentions = "", []
    parts = []
    for template in (title + ".", *sentences):
        chosen = {slot: draw.sample(pool, len(pool)) for slot, pool in pools.items()}
        for piece in re.split(r"(\{\w+\})", template):
            if piece.startswith("{"):
                # {g2} is another gene than {g} where the document has two.
                name, kind, identifier = chosen[piece[1]][-1 if piece[2] == "2" else 0]
                start = len(text)
                text += name
                mentions.append(Mention(start, len(text), name, kind, (identifier,)))
            else:
                text += piece
        parts.append(text)
        text += " "
    end = len(parts[0])
    base = Document.from_text(
        str(20_000_000 + number), text[:end], text[end + 1 :].rstrip(), mentions=mentions
    )
    return Document(base.id, base.passages, base.mentions, (), (("year", str(1980 + number % 45)),))


def make_corpus(folder, documents, *, long):
    """Archives of BioC XML; how many bytes of XML they hold."""
    folder.mkdir(parents=True)
    size = 0
    for first in range(0, documents, PER_ARCHIVE):
        with tarfile.open(folder / f"BioCXML.{first // PER_ARCHIVE}.tar.gz", "w:gz") as archive:
            for start in range(first, min(first + PER_ARCHIVE, documents), PER_MEMBER):
                stream = io.BytesIO()
                stop = min(start + PER_MEMBER, first + PER_ARCHIVE, documents)
                write((synthetic(n, long=long) for n in range(start, stop)), stream, "bioc-xml")
                info = tarfile.TarInfo(f"output/{start // PER_MEMBER}.BioC.XML")
                info.size = stream.tell()
                size += info.size
                stream.seek(0)
                archive.addfile(info, stream)
    return size


def memory_of(root):
    """Process id → resident MB, of a process and its children."""
    found, waiting = {}, [root]
    while waiting:
        process = waiting.pop()
        try:
            status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
            waiting += map(
                int,
                Path(f"/proc/{process}/task/{process}/children")
                .read_text(encoding="utf-8")
                .split(),
            )
        except OSError:
            continue
        resident = re.search(r"VmRSS:\s+(\d+)", status)
        if resident:
            found[process] = int(resident[1]) / 1024
    return found


def measure(inputs, output, model, workers):
    """One run: wall and CPU seconds, memory over time."""
    command = [sys.executable, "-m", "novelink", "extract", *map(str, inputs), "-o", str(output)]
    command += ["--to", "parquet", "--workers", str(workers)]
    if model:
        command += ["-m", model]
    began = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    samples = []
    while True:
        # wait4 at the end gives the CPU time of the whole tree.
        found, status, usage = os.wait4(process.pid, os.WNOHANG)
        if found:
            break
        samples.append(memory_of(process.pid))
        time.sleep(0.5)
    seconds = time.perf_counter() - began
    said = process.stderr.read().decode()
    if status:
        sys.exit(said)
    return {
        "workers": workers,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        **flatness(samples),
    }


def flatness(samples):
    """Most memory in all, and by how much any process grew after it had warmed up."""
    series = {}
    for sample in samples:
        for process, memory in sample.items():
            series.setdefault(process, []).append(memory)
    growths = []
    for values in series.values():
        third = len(values) // 3
        if third >= 4:
            growths.append(max(values[2 * third :]) - max(values[third : 2 * third]))
    return {
        "peak_memory_mb": round(max((sum(sample.values()) for sample in samples), default=0)),
        "peak_memory_of_a_process_mb": round(
            max((memory for values in series.values() for memory in values), default=0)
        ),
        "growth_mb": round(max(growths), 1) if growths else None,
    }


def digest_of(folder):
    """Of all parts: names and bytes."""
    found = hashlib.sha256()
    for path in sorted(folder.glob("source=*/part-*")):
        found.update(path.relative_to(folder).as_posix().encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def machine():
    cpu = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        cpu = next((line.partition(": ")[2] for line in lines if "model name" in line), cpu)
    return {"cpu": cpu, "cores": len(os.sched_getaffinity(0)), "system": platform.system()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--documents", type=int, default=50_000)
    parser.add_argument("--model", help="name or folder; default: the embedded model")
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--long", action="store_true", help="abstracts of BioRED's size")
    parser.add_argument("--keep", type=Path, help="folder to leave corpus and results in")
    settings = parser.parse_args()
    counts = [int(text) for text in settings.workers.split(",")]
    temporary = tempfile.mkdtemp()
    work = settings.keep or Path(temporary)
    try:
        report = bench(settings, counts, work)
    finally:
        shutil.rmtree(temporary)
    RESULTS.mkdir(exist_ok=True)
    name = "scale-long.json" if settings.long else "scale.json"
    (RESULTS / name).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"written to {RESULTS / name}")
    failed = [check for check, holds in report["checks"].items() if holds is False]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def bench(settings, counts, work):
    corpus = work / "corpus"
    if corpus.exists():
        shutil.rmtree(corpus)
    size = make_corpus(corpus, settings.documents, long=settings.long)
    inputs = sorted(corpus.glob("*.tar.gz"))
    stored = sum(path.stat().st_size for path in inputs)
    print(f"{settings.documents:,} documents, {size / 1e6:.0f} MB, packed {stored / 1e6:.0f} MB")
    runs, digests = [], set()
    tally = {}
    for workers in counts:
        output = work / f"results-{workers}"
        if output.exists():
            shutil.rmtree(output)
        load = os.getloadavg()[0]
        run = measure(inputs, output, settings.model, workers)
        tally = json.loads((output / "_summary.json").read_text())
        run["documents_per_second"] = round(settings.documents / run["seconds"], 1)
        run["documents_per_cpu_second"] = round(settings.documents / run["cpu_seconds"], 1)
        run["pairs_per_cpu_second"] = round(tally["pairs"] / run["cpu_seconds"], 1)
        run["load_before"] = round(load, 2)
        runs.append(run)
        digests.add(digest_of(output))
        print(json.dumps(run))
    rates = {run["workers"]: run["documents_per_second"] for run in runs}
    cores = machine()["cores"]
    checks = {"same bytes": len(digests) == 1}
    for workers, least in WANTED.items():
        if 1 in rates and workers in rates and cores >= workers:
            checks[f"{workers} workers reach {least} x"] = rates[workers] >= least * rates[1]
    grown = [run["growth_mb"] for run in runs if run["growth_mb"] is not None]
    checks["flat memory"] = max(grown) <= GROWTH_MB if grown else None
    return {
        "documents": settings.documents,
        "pairs": tally.get("pairs", 0),
        "relations": sum(tally.get("relations", {}).values()),
        "xml_mb": round(size / 1e6, 1),
        "packed_mb": round(stored / 1e6, 1),
        "model": settings.model or "embedded",
        "runs": runs,
        "speed_up": {
            str(workers): round(rate / rates[1], 2) for workers, rate in rates.items() if 1 in rates
        },
        "checks": checks,
        "machine": machine(),
        "python": platform.python_version(),
        "novelink": __version__,
    }


if __name__ == "__main__":
    main()
