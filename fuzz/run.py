"""Fuzz all targets for a given time and write a report: ``make fuzz SECONDS=600``.

Targets run one after another, each in a process of its own that is started
again after whatever ends it. The corpus is kept between runs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from seeds import check_own_seeds, seeds
from targets import TARGETS, Target

HERE = Path(__file__).parent
MEMORY_MIB = 2_048
"""A process that takes more is ended, and its input is a finding."""
HANG_SECONDS = 120
"""Wall-clock limit of one input; what takes much CPU is noted long before."""
MODULES = ("formats", "sentences.py", "runtime/bundle.py", "runtime/graph_file.py",
           "runtime/model_set.py", "scale/container.py", "scale/splitting.py", "serve",
           "schema.py", "curation.py", "document.py", "pairs.py")  # fmt: skip

_STATUS = re.compile(r"^#(\d+)\s+(\w+)\s+cov: (\d+) ft: (\d+) corp: (\d+)/(\S+)", re.MULTILINE)
_STAT = re.compile(r"^stat::(\w+):\s+(\d+)$", re.MULTILINE)


@dataclass
class Result:
    """What became of one target."""

    target: str
    seconds: float = 0.0
    executions: int = 0
    edges_of_seeds: int = 0
    edges: int = 0
    features: int = 0
    corpus: int = 0
    peak_mib: int = 0
    starts: int = 0
    findings: list[str] = field(default_factory=list)


def _corpus(target: Target, root: Path) -> Path:
    folder = root / "corpus" / target.name
    folder.mkdir(parents=True, exist_ok=True)
    for data in seeds(target.name):
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    return folder


def _dictionary(target: Target, root: Path) -> Path:
    path = root / "words" / f"{target.name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for word in target.words:
        escaped = "".join(
            chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}"
            for byte in word.encode("latin-1")
        )
        lines.append(f'"{escaped}"')
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


def fuzz(target: Target, seconds: float, root: Path) -> Result:
    """One target, for so many seconds."""
    result = Result(target.name)
    found = root / "findings" / target.name
    found.mkdir(parents=True, exist_ok=True)
    corpus, words = _corpus(target, root), _dictionary(target, root)
    before = {path.name for path in found.iterdir()}
    began = time.monotonic()
    while (left := seconds - (time.monotonic() - began)) >= 1 or not result.starts:
        command = [
            sys.executable, str(HERE / "one_target.py"), target.name, str(found),
            str(corpus), f"-dict={words}", f"-max_total_time={max(1, round(left))}",
            f"-max_len={target.longest}", f"-rss_limit_mb={MEMORY_MIB}", f"-timeout={HANG_SECONDS}",
            f"-artifact_prefix={found}/", "-print_final_stats=1", "-len_control=20",
            # By the clock, which says nothing on a machine that has other work; see CPU_SECONDS.
            "-report_slow_units=1000000",
        ]  # fmt: skip
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False
        )
        _take(done.stderr, result)
        if done.returncode:
            print(done.stderr[-2_000:], file=sys.stderr)
            if not result.executions:
                raise SystemExit(f"{target.name} does not run")
    result.seconds = round(time.monotonic() - began, 1)
    fresh = sorted(path for path in found.iterdir() if path.name not in before)
    result.findings = [
        path.read_text(encoding="utf-8").partition("\n")[0]
        if path.suffix == ".txt"
        else path.name.partition("-")[0]
        for path in fresh
        if path.suffix != ".input"
    ]
    return result


def _take(output: str, result: Result) -> None:
    result.starts += 1
    states = _STATUS.findall(output)
    begun = [int(edges) for _, state, edges, *_ in states if state == "INITED"]
    if begun and result.starts == 1:
        result.edges_of_seeds = begun[0]
    if states:
        count, _, edges, features, files, _ = states[-1]
        result.edges = max(result.edges, int(edges))
        result.features = max(result.features, int(features))
        result.corpus = int(files)
        result.executions += int(count)
    peak = dict(_STAT.findall(output)).get("peak_rss_mb", "0")
    result.peak_mib = max(result.peak_mib, int(peak))


def line_coverage(root: Path) -> dict[str, float]:
    """Share of statements that the corpus reaches, by module, in a process of its own."""
    out = root / "coverage.json"
    command = [sys.executable, str(HERE / "replay.py"), str(root / "corpus"), str(out), *MODULES]
    subprocess.run(command, check=True)
    covered: dict[str, float] = json.loads(out.read_text(encoding="utf-8"))
    return covered


def table(report: dict[str, object], results: list[Result], covered: dict[str, float]) -> str:
    """The report for people."""
    lines = [
        "# Fuzzing report",
        f"novelink {report['novelink']}, atheris {report['atheris']}, Python {report['python']}, "
        f"{report['date']}: {report['seconds']:,.0f} s in one process, "
        f"{report['executions']:,} executions, {report['findings']} open findings.",
        "",
        "| target | seconds | executions | edges of the seeds | edges reached | inputs kept "
        "| peak MiB | findings |",
        "|---|--:|--:|--:|--:|--:|--:|---|",
    ]
    lines += [
        f"| {one.target} | {one.seconds:,.0f} | {one.executions:,} | {one.edges_of_seeds:,} "
        f"| {one.edges:,} | {one.corpus:,} | {one.peak_mib:,} | {'; '.join(one.findings) or 'none'} |"
        for one in results
    ]
    lines += [
        "",
        "Edges count branches of the package's bytecode, imports included. Statements that the kept "
        "inputs of all targets reach:",
        "",
        "| module | statements reached |",
        "|---|--:|",
        *(f"| `{name}` | {share:.0f} % |" for name, share in covered.items()),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Run what the command line asks for; exit code 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="for all targets together")
    parser.add_argument("--targets", nargs="*", default=list(TARGETS), metavar="NAME")
    parser.add_argument("--work", type=Path, default=Path("out/fuzz"), help="corpus and findings")
    parser.add_argument("--report", type=Path, help="name of the .json, and of the .md beside it")
    options = parser.parse_args()
    unknown = sorted(set(options.targets) - set(TARGETS))
    if unknown:
        parser.error(f"unknown target '{unknown[0]}'; there are {', '.join(TARGETS)}")
    check_own_seeds()
    chosen = [TARGETS[name] for name in options.targets]
    total = sum(target.share for target in chosen)
    results = []
    for target in chosen:
        results.append(fuzz(target, options.seconds * target.share / total, options.work))
        print(json.dumps(asdict(results[-1])), flush=True)
    covered = line_coverage(options.work)
    report: dict[str, object] = {
        "date": datetime.now(UTC).date().isoformat(),
        "novelink": version("novelink"),
        "atheris": version("atheris"),
        "python": platform.python_version(),
        "seconds": round(sum(one.seconds for one in results), 1),
        "executions": sum(one.executions for one in results),
        "findings": sum(len(one.findings) for one in results),
    }
    path = options.report or options.work / "report.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {**report, "targets": [asdict(one) for one in results], "statements": covered}
    path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    text = table(report, results, covered)
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)
    sys.exit(1 if report["findings"] else 0)


if __name__ == "__main__":
    main()
