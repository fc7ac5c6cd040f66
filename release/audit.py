"""Known vulnerabilities of the pinned dependencies: ``make audit``.

Exit code 1 where there is one that is not among the exceptions. Where the service that knows of
them does not answer, or does not know the packages, that is said loudly and is no failure: a check
that cannot be made must not stop other work, and must not look like one that was passed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXCEPTIONS: dict[str, str] = {}
"""Id of a vulnerability → why it does not matter here."""


def main() -> None:
    """Ask, and say what came back."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "audit.json"
        done = subprocess.run(
            [
                sys.executable, "-m", "pip_audit", "--requirement", str(ROOT / "constraints.txt"),
                "--no-deps", "--disable-pip", "--format", "json", "--output", str(out),
                "--progress-spinner", "off",
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        try:
            asked = json.loads(out.read_text(encoding="utf-8"))["dependencies"]
        except (OSError, ValueError, KeyError):
            last = done.stderr.strip().rpartition("\n")[2]
            print(f"AUDIT SKIPPED: the service of vulnerabilities does not answer ({last[:300]})")
            return
    unknown = [entry["name"] for entry in asked if "skip_reason" in entry]
    found = [
        (
            entry["name"],
            entry["version"],
            fault["id"],
            ", ".join(fault["fix_versions"]) or "none yet",
        )
        for entry in asked
        for fault in entry.get("vulns", ())
        if fault["id"] not in EXCEPTIONS and not set(fault["aliases"]) & set(EXCEPTIONS)
    ]
    for name, version, fault, fixed in found:
        print(f"{name} {version}: {fault}, mended in {fixed}")
    if len(unknown) == len(asked):
        print(f"AUDIT SKIPPED: the service knows none of the {len(asked)} packages, as where only an "
              "index of packages is reached")  # fmt: skip
    elif unknown:
        print(f"AUDIT INCOMPLETE: not known to the service: {', '.join(unknown)}")
    if not found and len(unknown) < len(asked):
        print(f"No known vulnerabilities in {len(asked) - len(unknown)} packages")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
