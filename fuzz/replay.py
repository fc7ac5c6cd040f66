"""Which statements a corpus reaches: ``python fuzz/replay.py CORPUS OUT.json MODULE…``."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import coverage

MOST_INPUTS = 400
"""Of one target: the shortest ones, which reach nearly all that longer ones do."""


def main() -> None:
    """Run every input once under coverage."""
    corpus, out, *modules = sys.argv[1:]
    logging.disable(logging.CRITICAL)
    measure = coverage.Coverage(data_file=None, source_pkgs=["novelink"], branch=False)
    measure.start()
    sys.path.insert(0, str(Path(__file__).parent))
    from targets import TARGETS

    for folder in sorted(Path(corpus).iterdir()):
        inputs = sorted(folder.iterdir(), key=lambda path: path.stat().st_size)[:MOST_INPUTS]
        for path in inputs:
            try:
                TARGETS[folder.name].run(path.read_bytes())
            except Exception as error:  # noqa: BLE001 (findings are the fuzzer's to tell)
                print(f"{folder.name}/{path.name}: {type(error).__name__}", file=sys.stderr)
    measure.stop()
    root = Path(sys.modules["novelink"].__file__ or "").parent
    found: dict[str, float] = {}
    for module in modules:
        place = root / module
        files = [place] if place.is_file() else sorted(place.glob("*.py"))
        for file in files:
            _, statements, _, missing, _ = measure.analysis2(str(file))
            if statements:
                name = file.relative_to(root).as_posix()
                found[name] = round(100 * (1 - len(missing) / len(statements)), 1)
    Path(out).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
