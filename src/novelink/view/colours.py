"""Colours of entity types, checked for contrast by a test.

One hue per type, told apart under the common colour blindnesses by lightness
and always accompanied by a letter.
"""

from __future__ import annotations

from typing import NamedTuple

from novelink.schema import CELL_LINE, CHEMICAL, DISEASE, GENE, SPECIES, VARIANT


class Colour(NamedTuple):
    """A type's colours.

    Attributes:
        light: background under dark text.
        line: border, bar or node on a light page.
        dark: background under light text.
        dark_line: border, bar or node on a dark page.
    """

    light: str
    line: str
    dark: str
    dark_line: str


PALETTE = (
    Colour("#cfe3ff", "#1f5fb8", "#173a6b", "#7fb2ff"),
    Colour("#ffd9d2", "#b3321b", "#6a2317", "#ff9f8c"),
    Colour("#d3f0cf", "#2a7326", "#1d4a1b", "#86d67f"),
    Colour("#ead9fb", "#7436b0", "#47246b", "#c79bf5"),
    Colour("#fdeab0", "#7d5a00", "#524005", "#e6c250"),
    Colour("#cdeeee", "#0b6b6f", "#0d474a", "#6fd0d3"),
    Colour("#f9d5e7", "#a3266b", "#611b42", "#f094c3"),
    Colour("#e2e2e2", "#555555", "#3d3d3d", "#b9b9b9"),
)

_OF_TYPE = {GENE: 0, DISEASE: 1, CHEMICAL: 2, VARIANT: 3, SPECIES: 4, CELL_LINE: 5}


def colour_index(entity_type: str, types: tuple[str, ...]) -> int:
    """Place of a type in :data:`PALETTE`.

    Args:
        entity_type: the type.
        types: all types shown, in order; those of other schemas take colours in
            turn.
    """
    if entity_type in _OF_TYPE:
        return _OF_TYPE[entity_type]
    if entity_type in types:
        return types.index(entity_type) % (len(PALETTE) - 1)
    return len(PALETTE) - 1
