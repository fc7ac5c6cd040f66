"""Several models' answers → one: the ensembles of the paper's runs.

Every member gives a distribution over the same classes for the same pairs.
``majority`` counts the members' labels; among equally many votes the label with
the higher mean probability wins, and if these are equal too, the one that comes
first in the schema. ``mean`` takes the label of the highest mean probability.
A run takes its relation types from one set of members (trained for relations)
and Novel / No from another (trained for novelty).

Probabilities are added as whole numbers of 10⁻¹², so that sums are exact and the
order of the members cannot change an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from novelink.decode import Decision
from novelink.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from novelink.schema import Schema

METHODS = ("majority", "mean")
_UNIT = 1e12


@dataclass(frozen=True, slots=True)
class Vote:
    """What the members decided for N pairs over C classes.

    Attributes:
        labels: [N], the winning class of each pair.
        probabilities: [N, C], mean over the members. Under ``majority`` its
            largest entry need not be the winner.
        shares: [N, C], share of the members that gave each class, 0–1.
    """

    labels: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    shares: NDArray[np.float64]


def vote(
    members: Sequence[ArrayLike],
    *,
    method: str = "majority",
    allowed: NDArray[np.bool_] | None = None,
    labels: Sequence[ArrayLike] | None = None,
) -> Vote:
    """Join the members' distributions.

    Args:
        members: one [N, C] array of probabilities a member, at least one.
        method: one of :data:`METHODS`.
        allowed: [N, C], classes that a pair can have; the others are set to
            zero in every member, and the rest made to sum to one again. Each
            pair needs one at least.
        labels: one [N] array a member, the classes it decided for, where that
            is not its likeliest class (a member with a threshold of its own);
            of no effect under ``mean``.

    Raises:
        SettingsError: no members, different shapes, values that are no
            probabilities, an unknown method.
    """
    if method not in METHODS:
        raise SettingsError(
            f"unknown voting method '{method}'", remedy=f"Methods are: {', '.join(METHODS)}"
        )
    units = _units(members, allowed)
    count, _, classes = units.shape
    total = units.sum(axis=0)
    given = units.argmax(axis=2) if labels is None else _given(labels, units.shape)
    votes = (given[:, :, None] == np.arange(classes)).sum(axis=0)
    if method == "mean":
        winners = total.argmax(axis=1)
    else:
        leading = votes == votes.max(axis=1, keepdims=True)
        winners = np.where(leading, total, -1).argmax(axis=1)
    return Vote(winners.astype(np.int64), total / (_UNIT * count), votes / count)


def _units(members: Sequence[ArrayLike], allowed: NDArray[np.bool_] | None) -> NDArray[np.int64]:
    """[members, N, C] in whole units."""
    arrays = [np.asarray(member, dtype=np.float64) for member in members]
    if not arrays:
        raise SettingsError("voting needs at least one member")
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1 or arrays[0].ndim != 2:
        raise SettingsError(
            f"members' probabilities have the shapes {sorted(shapes)}",
            remedy="Every member gives one row a pair and one column a class",
        )
    joined = np.stack(arrays)
    if not ((joined >= 0) & (joined <= 1)).all():
        raise SettingsError(
            "members' values are not all within 0–1", remedy="Turn logits into probabilities first"
        )
    if allowed is not None:
        if allowed.shape != arrays[0].shape or not allowed.any(axis=1).all():
            raise SettingsError(
                f"the allowed classes have the shape {allowed.shape}, or none for some pair"
            )
        joined = _renormalised(joined, allowed)
    units: NDArray[np.int64] = np.rint(joined * _UNIT).astype(np.int64)
    return units


def _renormalised(joined: NDArray[np.float64], allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
    kept = np.where(allowed, joined, 0.0)
    total = kept.sum(axis=2, keepdims=True)
    # A member that gives all its weight to other classes knows nothing here: even odds.
    even = allowed / allowed.sum(axis=1, keepdims=True)
    rows: NDArray[np.float64] = np.where(total > 0, kept / np.where(total > 0, total, 1.0), even)
    return rows


def _given(labels: Sequence[ArrayLike], shape: tuple[int, ...]) -> NDArray[np.int64]:
    given = [np.asarray(row, dtype=np.int64) for row in labels]
    if len(given) != shape[0] or any(row.shape != shape[1:2] for row in given):
        raise SettingsError("members' labels and probabilities are not of the same pairs")
    joined = np.stack(given)
    if not ((joined >= 0) & (joined < shape[2])).all():
        raise SettingsError(f"members' labels are not all within 0–{shape[2] - 1}")
    return joined


@dataclass(frozen=True, slots=True)
class TripletVote:
    """Relation type and novelty of N pairs.

    Attributes:
        relation: over ``schema.relation_labels``, R + 1 classes.
        novelty: over (No, Novel), given that the pair is related; None without
            novelty members.
    """

    relation: Vote
    novelty: Vote | None

    def decisions(self, schema: Schema) -> list[Decision]:
        """As :func:`novelink.decode.decide` gives them.

        A pair is related where the winning class says so. Its score is
        1 − P(no relation) by the mean; the novelty score is the mean
        probability of the winning one of No and Novel.
        """
        types = 1 + _likeliest_type(self.relation)
        names = schema.novelty_labels[1:]
        made = []
        for row, label in enumerate(self.relation.labels.tolist()):
            novel = None if self.novelty is None else int(self.novelty.labels[row])
            made.append(
                Decision(
                    related=label > 0,
                    type=schema.relation_labels[label or int(types[row])],
                    score=float(np.clip(1.0 - self.relation.probabilities[row, 0], 0.0, 1.0)),
                    novelty=None if novel is None else names[novel],
                    novelty_score=(
                        None
                        if self.novelty is None or novel is None
                        else float(self.novelty.probabilities[row, novel])
                    ),
                )
            )
        return made


def _likeliest_type(relation: Vote) -> NDArray[np.int64]:
    likeliest: NDArray[np.int64] = relation.probabilities[:, 1:].argmax(axis=1)
    return likeliest


def vote_triplets(
    relation_members: Sequence[ArrayLike],
    novelty_members: Sequence[ArrayLike] = (),
    *,
    method: str = "majority",
    legal: NDArray[np.bool_] | None = None,
    relation_labels: Sequence[ArrayLike] | None = None,
) -> TripletVote:
    """Relation types from one set of members, Novel / No from another.

    Args:
        relation_members: [N, R + 1] probabilities over
            ``schema.relation_labels``, one array a member.
        novelty_members: [N, 3] probabilities over ``schema.novelty_labels``
            (no relation, No, Novel). Whether a pair is related is the relation
            members' to say, so each of these votes for No or Novel given a
            relation, whatever weight it put on no relation.
        method: one of :data:`METHODS`, for both.
        legal: [N, R + 1], classes that a pair's entity types take.
        relation_labels: see ``labels`` of :func:`vote`.

    Raises:
        SettingsError: as :func:`vote`, or the two sets are of different pairs.
    """
    relation = vote(relation_members, method=method, allowed=legal, labels=relation_labels)
    if not len(novelty_members):
        return TripletVote(relation, None)
    arrays = [np.asarray(member, dtype=np.float64) for member in novelty_members]
    expected = (len(relation.labels), 3)
    for array in arrays:
        if array.shape != expected:
            raise SettingsError(
                f"a novelty member's probabilities have the shape {array.shape}, not {expected}",
                remedy="Columns are: no relation, No, Novel; rows are the relation members' pairs",
            )
    related = np.broadcast_to(np.array([False, True, True]), expected)
    whole = vote(arrays, method=method, allowed=related)
    novelty = Vote(whole.labels - 1, whole.probabilities[:, 1:], whole.shares[:, 1:])
    return TripletVote(relation, novelty)
