"""What users import and type is pinned: a change of it is seen, and has to be meant.

If one of these fails because something was added: ``python tests/packaging/public_api.py``, and a
line in CHANGELOG. If something was taken away, renamed or got other parameters, docs/stability.md
says what has to come first.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import novelink

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def interface():
    path = Path(__file__).with_name("public_api.py")
    spec = importlib.util.spec_from_file_location("public_api", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pinned(interface):
    return interface.PINNED.read_text(encoding="utf-8").splitlines()


def test_public_names_and_their_parameters_are_those_that_are_pinned(interface, pinned):
    passed_over = []
    now = interface.python_lines(passed_over)
    wanted = [
        line
        for line in pinned
        if not line.startswith("$") and line.partition("(")[0] not in passed_over
    ]
    wanted = [line for line in wanted if not line.startswith(tuple(f"{p}." for p in passed_over))]
    assert wanted == now


def test_no_command_or_option_has_gone(interface, pinned):
    """New ones may come: nobody's script fails by them."""
    wanted = {line for line in pinned if line.startswith("$")}
    assert wanted
    assert not wanted - set(interface.command_lines())


def test_a_changed_parameter_would_be_seen(interface):
    def before(documents, target, format=None, **options): ...  # noqa: A002 (as the real one)
    def after(documents, target, kind=None, **options): ...

    assert interface.signature(before) == "(documents, target, format=None, **options)"
    assert interface.signature(before) != interface.signature(after)
    assert interface.signature(before) == interface.signature(novelink.write)


def test_all_that_the_package_offers_is_documented(interface):
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    assert not [name for name in novelink.__all__ if f"novelink.{name}" not in page]
