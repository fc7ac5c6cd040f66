"""Names of a package that are looked up when first used, so that importing it loads nothing else.

In the package's ``__init__``, with its own name and where each public name lives:

.. code-block:: python

    __getattr__, __dir__ = lazy_names(__name__, {"Extractor": "extractor"}, globals())
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def lazy_names(
    package: str, homes: Mapping[str, str], known: Mapping[str, Any]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """A package's ``__getattr__`` and ``__dir__`` (PEP 562).

    Args:
        package: its full name.
        homes: public name → the module in the package that has it; a dot before it
            looks in the package around.
        known: names that are there already.
    """

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        return getattr(import_module(f".{homes[name]}", package), name)

    def names() -> list[str]:
        return sorted({*known, *homes})

    return find, names
