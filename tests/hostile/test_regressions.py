"""Inputs that fuzzing found, and the seeds it begins with: none makes anything fail any more."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="request bodies need the extra 'serve'")

INPUTS = Path(__file__).parent / "inputs"


def test_every_finding_of_the_past_stays_mended(fuzzing, caplog):
    """A finding's folder names its target; what comes out may be an error of ours, nothing else."""
    targets, _ = fuzzing
    caplog.set_level(logging.CRITICAL)
    inputs = sorted(path for path in INPUTS.rglob("*") if path.is_file())
    assert inputs
    for path in inputs:
        targets.TARGETS[path.parent.name].run(path.read_bytes())


def test_every_target_has_seeds_that_it_takes(fuzzing, caplog):
    targets, seeds = fuzzing
    caplog.set_level(logging.CRITICAL)
    seeds.check_own_seeds()
    for name, target in targets.TARGETS.items():
        assert seeds.seeds(name)
        for data in seeds.seeds(name):
            target.run(data)


def test_a_finding_would_be_noticed(fuzzing, monkeypatch):
    """The targets' own checks can fail."""
    targets, _ = fuzzing
    from novelink.errors import DataError

    with pytest.raises(AssertionError):
        targets.check_message(type("Loud", (DataError,), {"__str__": lambda _: "a\nb"})("x"))
    monkeypatch.setattr(targets, "LONGEST_MESSAGE", 10)
    with pytest.raises(AssertionError):
        targets.check_message(DataError("a message of many characters"))
