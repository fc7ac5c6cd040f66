"""Pair by pair: where gold and prediction say different things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from novelink.scoring.scores import PairError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.scoring.keys import DocumentKeys, PairKey

NO_NOVELTY = "not given"
"""Label of relations that carry neither Novel nor No."""

Labels = list[tuple[str, str | None]]
"""(relation type, novelty) of every relation of one pair."""


def labels_by_pair(keys: DocumentKeys) -> dict[PairKey, Labels]:
    """Pair → what is said of it."""
    labels: dict[PairKey, Labels] = {}
    for statement in keys.statements:
        labels.setdefault(statement.pair, []).append((statement.type, statement.novelty))
    return labels


def differences(
    gold: DocumentKeys, predicted: DocumentKeys, *, novelty: bool
) -> Iterator[PairError]:
    """Pairs of one document on which the sides differ, in the order of their ids.

    Args:
        gold: keys of the gold document.
        predicted: keys of the predicted one.
        novelty: whether Novel / No is part of what is compared.
    """
    ours, theirs = labels_by_pair(gold), labels_by_pair(predicted)
    names = predicted.names | gold.names
    scores: dict[PairKey, float] = {}
    for statement, (score, _) in predicted.statements.items():
        if score is not None:
            scores[statement.pair] = max(score, scores.get(statement.pair, score))
    for pair in sorted(ours.keys() | theirs.keys()):
        left = _text(ours.get(pair, []), novelty=novelty)
        right = _text(theirs.get(pair, []), novelty=novelty)
        if left != right:
            yield PairError(
                pair.id1,
                pair.id2,
                names.get(pair.id1, pair.id1),
                names.get(pair.id2, pair.id2),
                left,
                right,
                scores.get(pair),
            )


def _text(labels: Labels, *, novelty: bool) -> str:
    texts = {f"{kind}, {is_novel or NO_NOVELTY}" if novelty else kind for kind, is_novel in labels}
    return "; ".join(sorted(texts))
