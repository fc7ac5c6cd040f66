"""The fuzzer's own targets and seeds, for tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def fuzzing():
    """The modules ``targets`` and ``seeds`` of the folder ``fuzz``."""
    folder = Path(__file__).parents[2] / "fuzz"
    if not folder.is_dir():
        pytest.skip("the folder fuzz is not here")
    sys.path.insert(0, str(folder))
    try:
        import seeds
        import targets

        yield targets, seeds
    finally:
        sys.path.remove(str(folder))
        for name in ("targets", "seeds"):
            sys.modules.pop(name, None)
