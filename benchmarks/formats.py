"""How fast `convert` is and that its memory stays flat: every format, read and written.

    python benchmarks/formats.py [--documents 20000] [--seed 1] [--keep FOLDER]

Makes synthetic documents of the size of BioRED's abstracts (about 1,500 characters, 34 mentions,
11 relations), then converts them round a ring of formats, each step in a process of its own:
pubtator → bioc-xml → bioc-json → jsonl → pubtator. The last file must equal the first. Prints a
table, writes benchmarks/results/formats.json, and fails where a step takes more than 150 MB.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from novelink import __version__
from novelink.document import Document, Mention, Relation
from novelink.formats import write
from novelink.schema import BIORED

RESULTS = Path(__file__).parent / "results" / "formats.json"
RING = ("pubtator", "bioc-xml", "bioc-json", "jsonl", "pubtator")
LIMIT_MB = 150
MENTIONS, RELATIONS = 34, 11


def synthetic(doc_id, draw):
    """A document of invented words; entities repeat, as they do in abstracts."""
    words = [
        "".join(draw.choices("abcdeghilmnoprstuβ-", k=draw.randint(2, 11))) for _ in range(210)
    ]
    title, abstract = " ".join(words[:15]) + ".", " ".join(words[15:]) + "."
    text = f"{title} {abstract}"
    concepts = [
        (f"{draw.choice('DC')}{draw.randint(1, 999_999):06}", draw.choice(BIORED.entity_types))
        for _ in range(9)
    ]
    starts, position = [], 0
    for word in words:
        starts.append((position, word))
        position += len(word) + 1
    # The full stop of the title moves what follows by one.
    starts = [(at + (at > len(title) - 1), word) for at, word in starts]
    mentions = []
    for at, word in sorted(draw.sample(starts, MENTIONS)):
        concept, kind = draw.choice(concepts)
        mentions.append(Mention(at, at + len(word), text[at : at + len(word)], kind, (concept,)))
    relations = [
        Relation(
            draw.choice(concepts)[0],
            draw.choice(concepts)[0],
            draw.choice(BIORED.relation_types),
            draw.choice(("Novel", "No")),
        )
        for _ in range(RELATIONS)
    ]
    return Document.from_text(doc_id, title, abstract, mentions=mentions, relations=relations)


def step(source, target, reading, writing):
    """One conversion in a process of its own: seconds and its own peak memory."""
    began = time.perf_counter()
    files = (str(source), "-o", str(target))
    process = subprocess.Popen(
        (sys.executable, "-m", "novelink", "convert", *files, "--from", reading, "--to", writing),
        stderr=subprocess.PIPE,
    )
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(said)
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def machine():
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next((line.partition(": ")[2] for line in lines if "model name" in line), model)
    return {"cpu": model, "cores": os.cpu_count(), "system": platform.system()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder to leave the files in")
    settings = parser.parse_args()
    draw = random.Random(settings.seed)
    steps = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = settings.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        first = source = folder / "0.pubtator"
        write(
            (synthetic(str(number), draw) for number in range(settings.documents)),
            source,
            "pubtator",
        )
        for number, (reading, writing) in enumerate(itertools.pairwise(RING), 1):
            target = folder / f"{number}.{writing}"
            seconds, cpu, memory = step(source, target, reading, writing)
            steps.append(
                {
                    "from": reading,
                    "to": writing,
                    "input_mb": round(source.stat().st_size / 1e6, 1),
                    "seconds": round(seconds, 1),
                    "cpu_seconds": round(cpu, 1),
                    "documents_per_second": round(settings.documents / seconds),
                    "documents_per_cpu_second": round(settings.documents / cpu),
                    "peak_memory_mb": round(memory, 1),
                }
            )
            shown = steps[-1]
            print(
                f"{reading:>9} → {writing:<9} {shown['input_mb']:7.1f} MB in "
                f"{shown['seconds']:6.1f} s  {shown['documents_per_second']:6,} documents/s  "
                f"peak {shown['peak_memory_mb']:6.1f} MB"
            )
            source = target
        same = first.read_bytes() == source.read_bytes()
    result = {
        "documents": settings.documents,
        "seed": settings.seed,
        "memory_limit_mb": LIMIT_MB,
        "ring_closes": same,
        "steps": steps,
        "machine": machine(),
        "versions": {"novelink": __version__, "python": platform.python_version()},
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if not same:
        sys.exit("the last file differs from the first")
    if any(each["peak_memory_mb"] > LIMIT_MB for each in steps):
        sys.exit(f"a step took more than {LIMIT_MB} MB")


if __name__ == "__main__":
    main()
