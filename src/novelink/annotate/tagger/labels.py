"""Mentions as labels of tokens: outside, beginning, inside, for each type by itself.

Types do not share labels, so mentions of different types may overlap or nest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from novelink.document import Mention

OUTSIDE, BEGIN, INSIDE = 0, 1, 2


def token_labels(
    mentions: Sequence[Mention],
    spans: Sequence[tuple[int, int]],
    types: Sequence[str],
) -> tuple[NDArray[np.int8], int]:
    """Labels of tokens, and how many mentions they cannot say exactly.

    A token is part of a mention when more than half of its characters are. Of
    two mentions of one type that overlap, the longer one counts.

    Args:
        mentions: of the document; those of other types are passed over.
        spans: place of each token, ``(-1, -1)`` for special ones.
        types: entity types, one row of labels each.

    Returns:
        int8 array [types, tokens]; number of mentions whose borders lie inside
        tokens or that another one covers.
    """
    labels = np.zeros((len(types), len(spans)), dtype=np.int8)
    inexact = 0
    rows = {name: row for row, name in enumerate(types)}
    for mention in sorted(mentions, key=lambda item: (item.start - item.end, item.start)):
        row = rows.get(mention.type)
        if row is None:
            continue
        tokens = [
            index
            for index, (start, end) in enumerate(spans)
            if start >= 0 and 2 * (min(end, mention.end) - max(start, mention.start)) > end - start
        ]
        if not tokens or labels[row, tokens].any():
            inexact += 1
            continue
        labels[row, tokens] = INSIDE
        labels[row, tokens[0]] = BEGIN
        borders = (spans[tokens[0]][0], spans[tokens[-1]][1])
        inexact += borders != (mention.start, mention.end)
    return labels, inexact
