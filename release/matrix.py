"""Does the package install and work: every Python, oldest and newest dependencies, wheel and sdist?

``make matrix`` builds both and gives each case an environment of its own, in a folder whose name
has blanks and whose files may not be written. There the package checks itself (``novelink doctor``:
the shipped models against the answers that they gave where they were made), extracts relations in
a folder that is empty before, and runs those tests that need no extra.

Pythons that this machine does not have are said and passed over.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples" / "abstracts.pubtator"
TESTS = ("tests/formats", "tests/hostile/test_limits.py", "tests/packaging", "tests/reading",
         "tests/test_decode.py", "tests/test_document.py", "tests/test_pairs.py",
         "tests/test_schema.py", "tests/test_shipped_models.py", "tests/test_voting.py")  # fmt: skip
DEPENDENCIES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "dependencies"
]
# onnx makes the tiny models that tests use.
TEST_TOOLS = ("pytest", "hypothesis", "jsonschema", "onnx")
TOOLS = {"pip", "setuptools", "wheel", "uv"}


@dataclass
class Case:
    """One environment.

    Attributes:
        python: version asked for.
        resolution: ``lowest-direct`` or ``highest``, as uv calls them.
        source: ``wheel`` or ``sdist``.
        versions: of the package's direct dependencies.
        mib: of everything that was installed with it.
        relations: found in the example.
        faults: what did not work; empty where all did.
    """

    python: str
    resolution: str
    source: str
    versions: dict[str, str] = field(default_factory=dict)
    mib: dict[str, float] = field(default_factory=dict)
    relations: int = 0
    tests: str = ""
    faults: list[str] = field(default_factory=list)


def run(*command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    """A command with its output kept."""
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options
    )


def interpreter(version: str) -> Path | None:
    """The Python of that version, or None: from the path, or from pyenv."""
    candidates = [shutil.which(f"python{version}")]
    candidates += sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), reverse=True)
    for path in filter(None, candidates):
        done = run(path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
        if done.stdout.strip() == version:
            return Path(path)
    return None


def build(tools: Path, target: Path) -> dict[str, Path]:
    """The wheel and the sdist of this tree."""
    done = run(tools / "uv", "build", "--out-dir", target, ROOT)
    if done.returncode:
        raise SystemExit(done.stderr)
    return {"wheel": next(target.glob("*.whl")), "sdist": next(target.glob("*.tar.gz"))}


def site_packages(python: Path) -> Path:
    """Where an environment keeps what was installed."""
    return Path(
        run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
    )


def footprint(site: Path) -> dict[str, float]:
    """MiB by distribution folder, the larger ones, and in all."""
    sizes: dict[str, int] = {}
    for path in site.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            top = path.relative_to(site).parts[0].removesuffix(".py")
            sizes[top] = sizes.get(top, 0) + path.stat().st_size
    own = {name: size for name, size in sizes.items() if name.split("-")[0] not in TOOLS}
    found = {name: round(size / 2**20, 1) for name, size in own.items() if size > 5 << 20}
    return {**dict(sorted(found.items())), "all": round(sum(own.values()) / 2**20, 1)}


def snapshot(site: Path) -> dict[str, tuple[int, float]]:
    """Every file below a folder: size and time of the last change."""
    files = (path for path in site.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_size, path.stat().st_mtime) for path in files}


def protect(site: Path, *, writable: bool) -> None:
    """Take write permission away, or give it back."""
    for path in (site, *site.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            write = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
            path.chmod(mode | stat.S_IWUSR if writable else mode & ~write)


def try_case(case: Case, python: Path, archive: Path, tools: Path, place: Path) -> None:
    """Install and use; what goes wrong is noted in the case."""
    home = place / f"a path with blanks {case.python} {case.resolution} {case.source}"
    uv = tools / "uv"
    made = run(uv, "venv", "--python", python, home)
    own = home / "bin" / "python"
    # Named beside the archive, its requirements are direct ones: only of these the lowest is taken.
    install = (uv, "pip", "install", "--python", own, "--resolution", case.resolution)
    installed = run(*install, archive, *DEPENDENCIES)
    if made.returncode or installed.returncode:
        case.faults.append(f"does not install: {(made.stderr + installed.stderr)[-1500:]}")
        return
    site = site_packages(own)
    case.mib = footprint(site)
    listed = json.loads(run(uv, "pip", "list", "--python", own, "--format", "json").stdout)
    case.versions = {entry["name"]: entry["version"] for entry in listed}
    # Compiled files would be written at first use: that is what a read-only place has to do without.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(home / "home")}
    (home / "home").mkdir()
    work = home / "work folder"
    work.mkdir()
    protect(site, writable=False)
    before = snapshot(site)
    command = home / "bin" / "novelink"
    out = work / "found relations.jsonl"
    for arguments in (
        ("--version",),
        ("doctor",),
        ("models", "verify"),
        ("extract", EXAMPLES, "-o", out),
        ("show", out),
    ):
        done = run(command, *arguments, cwd=work, env=environment)
        if done.returncode:
            case.faults.append(
                f"novelink {arguments[0]}: {done.stderr[-600:] or done.stdout[-600:]}"
            )
    if out.exists():
        documents = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        case.relations = sum(len(document.get("relations", ())) for document in documents)
    if snapshot(site) != before:
        case.faults.append("something was written into the installed package")
    if any(work.iterdir()) and {path.name for path in work.iterdir()} != {out.name}:
        case.faults.append(f"files left behind: {[path.name for path in work.iterdir()]}")
    protect(site, writable=True)


def try_tests(case: Case, tools: Path, place: Path) -> None:
    """The tests that need no extra, against the installed package."""
    own = place / f"a path with blanks {case.python} {case.resolution} {case.source}/bin/python"
    run(tools / "uv", "pip", "install", "--python", own, *TEST_TOOLS)
    environment = {**os.environ, "NOVELINK_INSTALLED": "1", "OMP_NUM_THREADS": "1"}
    done = run(
        own, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS, cwd=ROOT, env=environment
    )
    case.tests = done.stdout.strip().rpartition("\n")[2]
    if done.returncode:
        bad = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        case.faults.append(
            "tests: " + "\n".join(bad[:30] or [done.stdout[-2000:], done.stderr[-500:]])
        )


def main() -> None:
    """Try all cases; exit code 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pythons", nargs="*", default=["3.11", "3.12", "3.13"])
    parser.add_argument("--tools", type=Path, default=Path(sys.executable).parent, help="has uv")
    parser.add_argument("--without-tests", action="store_true")
    parser.add_argument("--report", type=Path)
    options = parser.parse_args()
    cases: list[Case] = []
    with tempfile.TemporaryDirectory(prefix="novelink-matrix-") as scratch:
        place = Path(scratch)
        archives = build(options.tools, place / "dist")
        for version in options.pythons:
            python = interpreter(version)
            if python is None:
                print(f"Python {version} is not on this machine: passed over", file=sys.stderr)
                continue
            for resolution, source in (
                ("lowest-direct", "wheel"),
                ("highest", "wheel"),
                ("highest", "sdist"),
            ):
                case = Case(version, resolution, source)
                cases.append(case)
                try_case(case, python, archives[source], options.tools, place)
                if not case.faults and not options.without_tests and source == "wheel":
                    try_tests(case, options.tools, place)
                print(json.dumps(asdict(case)), flush=True)
                shutil.rmtree(place / f"a path with blanks {version} {resolution} {source}")
        sizes = {name: path.stat().st_size for name, path in archives.items()}
    report = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}",
        "bytes": sizes,
        "cases": [asdict(case) for case in cases],
    }
    if options.report:
        options.report.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for case in cases:
        state = "; ".join(case.faults) or f"works, {case.mib['all']} MiB, {case.tests}"
        print(f"{case.python}  {case.resolution:14} {case.source:6} {state}")
    print(", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in sizes.items()))
    sys.exit(any(case.faults for case in cases))


if __name__ == "__main__":
    main()
