"""Cores, memory and instructions, within the limits of a container."""

from __future__ import annotations

import os

import pytest

from novelink import machine


@pytest.fixture
def group(tmp_path, monkeypatch):
    """A container's limits, to be written."""
    monkeypatch.setattr(machine, "_GROUP", tmp_path)
    return tmp_path


def test_cores_without_a_limit_are_those_of_the_process(group):
    cores = machine.available_cores()
    assert 1 <= cores <= (os.cpu_count() or 1)
    (group / "cpu.max").write_text("max 100000\n")
    assert machine.available_cores() == cores


@pytest.mark.parametrize(("quota", "expected"), [("50000", 1), ("100000", 1), ("100001", 2)])
def test_a_share_of_a_core_counts_as_a_core(group, monkeypatch, quota, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    (group / "cpu.max").write_text(f"{quota} 100000\n")
    assert machine.available_cores() == expected


def test_more_than_the_process_may_use_is_no_gain(group):
    cores = machine.available_cores()
    (group / "cpu.max").write_text("99900000 100000\n")
    assert machine.available_cores() == cores


def test_memory_is_told_in_bytes_and_within_the_limit(group):
    total, free = machine.memory()
    if total is None:
        pytest.skip("this system does not tell")
    assert total > 100_000_000
    assert free is None or 0 <= free <= total
    (group / "memory.max").write_text("64000000\n")
    (group / "memory.current").write_text("60000000\n")
    assert machine.memory() == (64_000_000, 4_000_000)
    (group / "memory.current").write_text("70000000\n")
    assert machine.memory() == (64_000_000, 0)


def test_instructions_are_names_or_unknown():
    found = machine.instructions()
    assert found is None or all(name == name.strip() and name for name in found)
