"""One target under libFuzzer: ``python fuzz/one_target.py NAME FINDINGS [libFuzzer's options]``.

An exception is noted with its input and the run goes on: one shallow fault must
not hide what lies behind it. What ends the process for good (too much memory, no
end) is left to libFuzzer, and :mod:`run` starts the target again.
"""

from __future__ import annotations

import hashlib
import logging
import resource
import sys
import time
import traceback
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent))
from mutation import json_mutator

with atheris.instrument_imports(include=["novelink"]):
    from importlib import import_module

    from targets import TARGETS

    # Imported where used in the library; here before the run, so that they are instrumented.
    for _module in (
        "sentences", "exports.table", "formats.article_ids", "formats.bioc_json",
        "formats.bioc_xml", "formats.jsonl", "formats.medline", "formats.pubmed_xml",
        "formats.pubtator", "formats.text", "formats.tsv_text", "serve.app", "view.page",
    ):  # fmt: skip
        import_module(f"novelink.{_module}")

CPU_SECONDS = 5.0
"""An input of some kilobytes that takes longer is a finding."""

GROWTH_MIB = 192
"""An input of some kilobytes that raises the peak of memory by more is a finding."""


class Noted:
    """Findings of one run, one file each of input and of traceback, by place of the fault."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.peak = _peak_mib()

    def note(self, kind: str, data: bytes, text: str) -> None:
        """Keep the first input of each kind."""
        name = hashlib.sha256(kind.encode()).hexdigest()[:10]
        path = self.folder / f"{name}.txt"
        if not path.exists():
            (self.folder / f"{name}.input").write_bytes(data)
            path.write_text(f"{kind}\n\n{text}", encoding="utf-8", errors="backslashreplace")
            print(f"FINDING {kind}", file=sys.stderr, flush=True)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _place(error: BaseException) -> str:
    """Kind of the exception and the innermost place in our own code."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "novelink" in frame.filename or "targets" in frame.filename]
    last = own[-1] if own else frames[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.name}:{last.line}"


def main() -> None:
    """Fuzz until libFuzzer's own limits end it."""
    name, folder = sys.argv[1:3]
    target = TARGETS[name]
    noted = Noted(Path(folder))
    # Tracebacks of the service's log would bury everything else.
    logging.disable(logging.CRITICAL)

    def once(data: bytes) -> None:
        began = time.process_time()
        try:
            target.run(data)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 (a panic of a library in Rust is no Exception)
            noted.note(_place(error), data, "".join(traceback.format_exception(error)[-12:]))
        spent = time.process_time() - began
        if spent > CPU_SECONDS:
            noted.note(f"{spent // 5 * 5:.0f} s", data, f"{spent:.1f} s of CPU")
        peak = _peak_mib()
        if peak > noted.peak + GROWTH_MIB:
            noted.note(f"memory {name}", data, f"{noted.peak:.0f} to {peak:.0f} MiB")
        noted.peak = max(peak, noted.peak)

    options = {}
    if target.json_from is not None:
        options["custom_mutator"] = json_mutator(
            [word.encode("latin-1") for word in target.words],
            target.json_from,
            lines=name == "jsonl",
        )
    atheris.Setup([sys.argv[0], *sys.argv[3:]], once, **options)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
