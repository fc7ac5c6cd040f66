"""Mentions by their words, for tests that write down whole marked strings."""

from __future__ import annotations

import re

import pytest
from tokenizers import AddedToken

from novelink.document import Document, Mention
from novelink.reading.document import type_markers
from novelink.runtime.bundle import load_bundle
from novelink.schema import BIORED, GENE


def mention(text, words, ids="1", kind=GENE, occurrence=0):
    """The n-th place of some words; ``"a … b"`` is a discontinuous mention of two parts."""
    parts = words.split(" … ")
    spans = []
    position = 0
    for number, part in enumerate(parts):
        found = list(re.finditer(re.escape(part), text[position:]))
        place = found[occurrence if number == 0 else 0]
        spans.append((position + place.start(), position + place.end()))
        position = spans[-1][1]
    ids = (ids,) if isinstance(ids, str) else tuple(ids)
    return Mention(
        spans[0][0],
        spans[-1][1],
        " ".join(parts),
        kind,
        ids,
        tuple(spans) if len(spans) > 1 else (),
    )


@pytest.fixture(scope="session")
def place():
    """The function :func:`mention`."""
    return mention


@pytest.fixture(scope="session")
def titled():
    """A document of one title with these mentions."""

    def make(text, mentions):
        return Document.from_text("1", text, mentions=mentions)

    return make


@pytest.fixture(scope="session")
def tokenizer(tiny_bundle):
    """A tokenizer that has the markers of types; never change it."""
    made = load_bundle(tiny_bundle).tokenizer()
    names = [marker for kind in BIORED.entity_types for marker in type_markers(kind)]
    made.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in names])
    return made
