"""Results of the ablation as a file that grows run by run, and what all its runs have in common."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np

LEVELS = ("pair", "type", "novelty", "all")


class ProtocolError(Exception):
    """The file holds runs of another encoder, other data or other settings."""


class Results:
    """One JSON file: the protocol, the gold of Test, and the runs that are done.

    A run is known by row, seed and fold (None but for the folds of a vote). Runs of other
    invocations that were added meanwhile are kept: the file is read again before each write.

    Args:
        path: of the file; it need not exist.
        protocol: what every run shares; None takes what the file says.

    Raises:
        ProtocolError: the file was made under another protocol.
    """

    def __init__(self, path, protocol=None):
        self.path = Path(path)
        found = json.loads(self.path.read_text("utf-8")) if self.path.exists() else {}
        self.protocol = found.get("protocol", protocol or {})
        others = differences(self.protocol, protocol) if protocol else []
        if others:
            raise ProtocolError(
                f"{self.path} holds runs of another protocol: {'; '.join(others)}. "
                "Give another --output, or what those runs were made with"
            )
        self.gold = found.get("gold", {})
        self.runs = found.get("runs", [])

    def find(self, row, seed, fold=None):
        """A finished run, or None."""
        key = (row, seed, fold)
        return next((run for run in self.runs if _key(run) == key), None)

    def seeds(self, row):
        """Seeds with a finished run of a row, ascending."""
        return sorted(run["seed"] for run in self.runs if _key(run)[::2] == (row, None))

    def add(self, run, gold=None):
        """Store a finished run, in place of an earlier one of the same row, seed and fold."""
        if self.path.exists():
            self.runs = json.loads(self.path.read_text("utf-8"))["runs"]
        self.runs = [one for one in self.runs if _key(one) != _key(run)] + [run]
        self.runs.sort(key=lambda one: (one["seed"], one["row"], one.get("fold") or 0))
        self.gold = gold or self.gold
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        content = {"protocol": self.protocol, "gold": self.gold, "runs": self.runs}
        fresh.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        fresh.replace(self.path)

    def counts(self, row, seed):
        """Test of a run: ``[documents, levels, (hits, found, gold)]``."""
        run = self.find(row, seed)
        columns = [
            np.stack([numbers(source[level]) for level in LEVELS], axis=1)
            for source in (run["hits"], run["found"], self.gold)
        ]
        return np.stack(columns, axis=2)


def _key(run):
    return run["row"], run["seed"], run.get("fold")


def text_of(values):
    """Numbers in one line: a list of thousands would be as many lines of JSON.

    >>> text_of([3, 0, 12])
    '3 0 12'
    """
    return " ".join(map(str, values))


def numbers(text):
    """The array that :func:`text_of` wrote."""
    return np.array(text.split(), dtype=np.int64)


def differences(old, new, at=""):
    """Where a nested dict has other values than an older one, in words.

    Keys that the older one lacks are settings that came later, off by default.

    >>> differences({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3, "d": 4}})
    ['a.c = 2, not 3']
    """
    found = []
    for key, left in old.items():
        right = new.get(key)
        if isinstance(left, dict) and isinstance(right, dict):
            found += differences(left, right, f"{at}{key}.")
        elif left != right:
            found.append(f"{at}{key} = {left!r}, not {right!r}")
    return found


def sha256(path):
    """Of a file's content."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
