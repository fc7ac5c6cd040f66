"""Gold and predicted documents → :class:`~novelink.scoring.scores.Scores`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from novelink.document import NOT_NOVEL, NOVEL
from novelink.errors import DataError
from novelink.schema import BIORED, Schema, pair_type
from novelink.scoring.bootstrap import f1_intervals
from novelink.scoring.confusion import confusion, label_pairs
from novelink.scoring.counts import Counts, compare
from novelink.scoring.curves import rank
from novelink.scoring.differences import NO_NOVELTY, differences, labels_by_pair
from novelink.scoring.direction import DirectionTally
from novelink.scoring.entities import EntityKeys, EntityTally, entity_keys
from novelink.scoring.keys import (
    DocumentKeys,
    PairKey,
    combined_score,
    document_keys,
    level_key,
    levels_of,
)
from novelink.scoring.scores import BothSides, DocumentScore, DocumentTally, Scores

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from novelink.document import Document
    from novelink.scoring.curves import Ranking
    from novelink.scoring.entities import EntityScores
    from novelink.scoring.scores import Table


def score(
    gold: Iterable[Document] | str | Path,
    predicted: Iterable[Document] | str | Path,
    *,
    schema: Schema = BIORED,
    compat: bool = False,
    end_to_end: bool = False,
    resamples: int = 1000,
    seed: int = 0,
) -> Scores:
    """Score predicted relations against gold ones, as the BioRED track does.

    Four levels, each a comparison of sets of keys per document, summed over
    documents (micro): the pair; the pair with its relation type; with Novel /
    No; with both. Entity types are part of every key. ``docs/scoring.md`` has
    the rules.

    Args:
        gold: documents, or a file of them in any format of
            :func:`novelink.read`.
        predicted: likewise; matched to the gold by document id.
        schema: entity types, legal pairs, and whether there is novelty.
        compat: leave out gold documents that the prediction lacks, as the
            track's own scripts do; by default their relations count as missed.
        end_to_end: score the entities too (recognition, normalisation).
        resamples: of the bootstrap behind the intervals; 0 for none.
        seed: of the bootstrap.

    Returns:
        The scores; ``score(…)["all"].f1`` is the track's main figure.

    Raises:
        DataError: a document id occurs twice on one side, or a file cannot be
            read.
    """
    run = _Run(schema, compat=compat, end_to_end=end_to_end)
    held = _by_id(_documents(gold, schema), run, _name(gold, "the gold"))
    gold_count, predicted_count = len(held), 0
    missing, extra, differing = dict.fromkeys(held), [], []
    answers = _by_id(_documents(predicted, schema), run, _name(predicted, "the prediction"))
    for doc_id, answer in answers.items():
        predicted_count += 1
        if doc_id not in held:
            extra.append(doc_id)
            continue
        del missing[doc_id]
        if held[doc_id].relations.text != answer.relations.text:
            differing.append(doc_id)
    for doc_id, side in held.items():
        run.add(doc_id, side, answers.get(doc_id))
    for doc_id in extra:
        run.add(doc_id, None, answers[doc_id])
    tally = DocumentTally(
        gold_count, predicted_count, tuple(missing), tuple(extra), tuple(differing)
    )
    return run.result(tally, resamples=resamples, seed=seed)


def _documents(source: Iterable[Document] | str | Path, schema: Schema) -> Iterable[Document]:
    if isinstance(source, str | Path):
        from novelink.formats import read

        return read(source, schema=schema)
    return source


def _name(source: Iterable[Document] | str | Path, fallback: str) -> str:
    return str(source) if isinstance(source, str | Path) else fallback


@dataclass(frozen=True, slots=True)
class _Side:
    """What is kept of one side's document."""

    relations: DocumentKeys
    entities: EntityKeys | None


def _by_id(documents: Iterable[Document], run: _Run, name: str) -> dict[str, _Side]:
    kept: dict[str, _Side] = {}
    for document in documents:
        if document.id in kept:
            raise DataError(
                f"document {document.id} occurs twice in {name}",
                remedy="Each document is scored once; take one of them out",
            )
        kept[document.id] = run.side(document)
    return kept


class _Run:
    """Counts documents one by one; :meth:`result` closes the account."""

    def __init__(self, schema: Schema, *, compat: bool, end_to_end: bool) -> None:
        self.schema = schema
        self.compat = compat
        self.end_to_end = end_to_end
        self.levels = levels_of(schema)
        self._documents: list[DocumentScore] = []
        self._outside: Counter[str] = Counter()
        self._sides = {"dropped": BothSides(), "without_mention": BothSides()}
        self._sides["without_novelty"] = BothSides()
        self._unreachable = 0
        # (table, row, level) → [tp, fp, fn]
        self._cells: dict[tuple[str, str, str], list[int]] = {}
        self._type_cells: Counter[tuple[str, str]] = Counter()
        self._novelty_cells: Counter[tuple[str, str]] = Counter()
        self._unrelated = 0
        self._ranked: dict[str, tuple[list[float | None], list[bool]]] = {
            level: ([], []) for level in self.levels
        }
        self._entities = EntityTally()
        self._direction = DirectionTally()

    def side(self, document: Document) -> _Side:
        """Reduce a document to its keys, so that texts need not be held."""
        relations = document_keys(document, self.schema)
        if not self.end_to_end:
            return _Side(relations, None)
        return _Side(relations, entity_keys(document, relations.types, self.schema))

    def add(self, doc_id: str, gold: _Side | None, predicted: _Side | None) -> None:
        """Count one document; None where a side lacks it."""
        left = gold.relations if gold else DocumentKeys({}, {}, {})
        right = predicted.relations if predicted else DocumentKeys({}, {}, {})
        self._note(left, right)
        if predicted is None and self.compat:
            return
        if self.end_to_end:
            self._entities.add(
                gold.entities if gold else None, predicted.entities if predicted else None
            )
        counts = {}
        for level in self.levels:
            left_keys, right_keys = left.at(level), right.at(level)
            counts[level] = compare(left_keys, right_keys)
            for place, keys in enumerate(
                (left_keys & right_keys, right_keys - left_keys, left_keys - right_keys)
            ):
                for key in keys:
                    self._cell("pair_type", "|".join(key[0].pair_type), level)[place] += 1
                    for table, label in _labels(key, level):
                        self._cell(table, label, level)[place] += 1
            self._rank(level, right, left_keys)
        self._confuse(left, right)
        self._direction.add(left, right)
        errors = tuple(differences(left, right, novelty=self.schema.has_novelty))
        self._documents.append(DocumentScore(doc_id, counts, errors))

    def _note(self, left: DocumentKeys, right: DocumentKeys) -> None:
        self._outside.update(left.outside)
        for name in self._sides:
            self._sides[name] += BothSides(getattr(left, name), getattr(right, name))
        pairs = {statement.pair for statement in left.statements}
        self._unreachable += sum(
            right.types.get(pair.id1) != pair.type1 or right.types.get(pair.id2) != pair.type2
            for pair in pairs
            if pair.id1 != pair.id2
        )

    def _cell(self, table: str, row: str, level: str) -> list[int]:
        return self._cells.setdefault((table, row, level), [0, 0, 0])

    def _rank(self, level: str, right: DocumentKeys, gold_keys: set[tuple[object, ...]]) -> None:
        best: dict[tuple[object, ...], float | None] = {}
        for statement, scores in right.statements.items():
            key, value = level_key(statement, level), combined_score(scores, level)
            known = best.get(key)
            best[key] = value if known is None else known if value is None else max(known, value)
        scored, hits = self._ranked[level]
        scored.extend(best.values())
        hits.extend(key in gold_keys for key in best)

    def _confuse(self, left: DocumentKeys, right: DocumentKeys) -> None:
        left_labels, right_labels = labels_by_pair(left), labels_by_pair(right)
        for pair in left_labels.keys() | right_labels.keys():
            ours, theirs = left_labels.get(pair, []), right_labels.get(pair, [])
            self._type_cells.update(
                label_pairs({kind for kind, _ in ours}, {kind for kind, _ in theirs})
            )
            self._novelty_cells.update(
                label_pairs(
                    {novelty or NO_NOVELTY for _, novelty in ours},
                    {novelty or NO_NOVELTY for _, novelty in theirs},
                )
            )
        self._unrelated += _candidates(left.types, self.schema) - sum(
            _is_candidate(pair, left.types, self.schema)
            for pair in left_labels.keys() | right_labels.keys()
        )

    def result(self, tally: DocumentTally, *, resamples: int, seed: int) -> Scores:
        """Everything that was counted."""
        rows = np.array(
            [
                [(row.tp, row.fp, row.fn) for row in document.levels.values()]
                for document in self._documents
            ],
            dtype=np.int64,
        ).reshape(-1, len(self.levels), 3)
        bounds = f1_intervals(rows, resamples=resamples, seed=seed)
        levels = {
            level: Counts(*map(int, rows[:, place].sum(axis=0)))
            for place, level in enumerate(self.levels)
        }
        novelty = self.schema.has_novelty
        return Scores(
            schema=self.schema.name,
            levels=levels,
            intervals={
                level: (float(low), float(high))
                for level, (low, high) in zip(self.levels, bounds, strict=True)
                if resamples
            },
            documents=tally,
            gold_outside_candidates=dict(self._outside),
            dropped_pairs=self._sides["dropped"],
            without_mention=self._sides["without_mention"],
            without_novelty=self._sides["without_novelty"],
            unreachable=self._unreachable,
            by_type=self._table("type", self.schema.relation_types),
            by_novelty=self._table("novelty", (NOVEL, NOT_NOVEL) if novelty else ()),
            by_pair_type=self._table("pair_type", map("|".join, self.schema.pairs)),
            confusion=confusion(self._type_cells, self.schema.relation_types, self._unrelated),
            novelty_confusion=(
                confusion(self._novelty_cells, (NOVEL, NOT_NOVEL), self._unrelated)
                if novelty
                else None
            ),
            rankings=self._rankings(levels),
            per_document=tuple(self._documents),
            entities=self._entity_scores(),
            direction=self._direction.scores(),
            options={
                "compat": self.compat,
                "end_to_end": self.end_to_end,
                "resamples": resamples,
                "seed": seed,
            },
        )

    def _table(self, table: str, order: Iterable[str]) -> Table:
        known = list(order)
        found = {row for name, row, _ in self._cells if name == table}
        return {
            row: {
                level: Counts(*self._cells.get((table, row, level), (0, 0, 0)))
                for level in self.levels
                if table == "pair_type" or level in {table, "all"}
            }
            for row in (*known, *sorted(found - set(known)))
        }

    def _rankings(self, levels: dict[str, Counts]) -> dict[str, Ranking]:
        ranked = {
            level: rank(scored, hits, levels[level].gold)
            for level, (scored, hits) in self._ranked.items()
        }
        return {level: ranking for level, ranking in ranked.items() if ranking is not None}

    def _entity_scores(self) -> EntityScores | None:
        return self._entities.scores(self.schema.entity_types) if self.end_to_end else None


def _labels(key: tuple[object, ...], level: str) -> Iterator[tuple[str, str]]:
    """(table, row) of the labels that a key carries."""
    if level in {"type", "all"}:
        yield "type", str(key[1])
    if level in {"novelty", "all"}:
        yield "novelty", str(key[-1] or NO_NOVELTY)


def _candidates(types: dict[str, str], schema: Schema) -> int:
    """How many candidate pairs a document's entities make."""
    counts = Counter(types.values())
    return sum(
        counts[one] * (counts[one] - 1) // 2 if one == other else counts[one] * counts[other]
        for one, other in schema.pairs
    )


def _is_candidate(pair: PairKey, types: dict[str, str], schema: Schema) -> bool:
    return (
        pair.id1 != pair.id2
        and types.get(pair.id1) == pair.type1
        and types.get(pair.id2) == pair.type2
        and pair_type(pair.type1, pair.type2) in schema.pairs
    )
