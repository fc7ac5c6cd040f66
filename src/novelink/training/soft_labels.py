"""Soft labels: what trained models say of pairs, for another model to learn from.

A file is JSON Lines. Its first line names the classes, each further one holds a
document's pairs with the probabilities of their relation and novelty classes
(knowledge distillation: Hinton, Vinyals and Dean, 2015). Documents need no gold
relations, so abstracts that nobody annotated can teach as well.
"""

from __future__ import annotations

import gzip
import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np

from novelink.decode import legal_classes, novelty_logits, relation_probabilities, softmax
from novelink.errors import DataError, SettingsError
from novelink.pairs import candidate_pairs
from novelink.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from novelink.document import Document
    from novelink.extractor import Extractor
    from novelink.pairs import Pair
    from novelink.schema import Schema

FORMAT = "novelink-soft-labels"
_DIGITS = 5


@dataclass(frozen=True)
class PairSoftLabels:
    """Probabilities of N pairs; a row of NaN where nothing is known.

    Attributes:
        relation: float32 ``[N, R + 1]`` over ``schema.relation_labels``.
        novelty: float32 ``[N, 3]`` over ``schema.novelty_labels``.
    """

    relation: NDArray[np.float32]
    novelty: NDArray[np.float32]


class SoftLabels:
    """Soft labels of a corpus, looked up by document and pair.

    Args:
        schema: whose classes the columns are.
        models: names of the models that gave them.
        temperature: above 1 flattens the distributions, 1 leaves them.
    """

    def __init__(
        self, schema: Schema, models: Sequence[str] = (), *, temperature: float = 1.0
    ) -> None:
        self.schema = schema
        self.models = tuple(models)
        self.temperature = temperature
        self._rows: dict[str, dict[tuple[str, str], int]] = {}
        self._relation: list[NDArray[np.float32]] = []
        self._novelty: list[NDArray[np.float32]] = []

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self._relation)

    def __contains__(self, document_id: str) -> bool:
        """Whether a document has soft labels."""
        return document_id in self._rows

    def add(
        self,
        document_id: str,
        ids: Sequence[tuple[str, str]],
        relation: NDArray[np.floating],
        novelty: NDArray[np.floating],
    ) -> None:
        """Add a document's pairs; of a pair given twice the later counts."""
        rows = self._rows.setdefault(document_id, {})
        for pair, first, second in zip(
            ids, self._tempered(relation), self._tempered(novelty), strict=True
        ):
            rows[_key(pair)] = len(self._relation)
            self._relation.append(first)
            self._novelty.append(second)

    def _tempered(self, probabilities: NDArray[np.floating]) -> NDArray[np.float32]:
        sharpened = np.asarray(probabilities, np.float64) ** (1 / self.temperature)
        return np.asarray(sharpened / sharpened.sum(1, keepdims=True), np.float32)

    def of(self, document: Document, pairs: Sequence[Pair]) -> PairSoftLabels:
        """Soft labels of a document's pairs, in their order; NaN where there are none."""
        schema = self.schema
        relation = np.full((len(pairs), len(schema.relation_labels)), np.nan, np.float32)
        novelty = np.full((len(pairs), len(schema.novelty_labels)), np.nan, np.float32)
        rows = self._rows.get(document.id, {})
        for place, pair in enumerate(pairs):
            row = rows.get(_key(pair.ids))
            if row is not None:
                relation[place] = self._relation[row]
                novelty[place] = self._novelty[row]
        return PairSoftLabels(relation, novelty)


def _key(pair: Sequence[str]) -> tuple[str, str]:
    first, second = pair
    return (first, second) if first <= second else (second, first)


def read_soft_labels(path: str | Path, schema: Schema, *, temperature: float = 1.0) -> SoftLabels:
    """Read a file of soft labels.

    Raises:
        DataError: no such file, a broken line, or classes other than the schema's.
    """
    source = str(path)
    try:
        with _opened(Path(path), "rt") as stream:
            head = _parsed(stream.readline(), source, 1)
            if head.get("format") != FORMAT:
                raise DataError(
                    "not a file of soft labels",
                    source=source,
                    line=1,
                    remedy="Make one with: novelink teach",
                )
            for key, wanted in _classes(schema).items():
                if head.get(key) != wanted:
                    raise DataError(
                        f"its {key.replace('_', ' ')} are not those of schema {schema.name}",
                        source=source,
                        line=1,
                    )
            labels = SoftLabels(schema, head.get("models", ()), temperature=temperature)
            for number, line in enumerate(stream, start=2):
                _add_line(labels, _parsed(line, source, number), source, number)
            return labels
    except OSError as error:
        raise DataError(f"cannot read it: {error.strerror or error}", source=source) from error
    except EOFError as error:
        raise DataError("the file ends in the middle", source=source) from error


def _add_line(labels: SoftLabels, data: dict[str, Any], source: str, line: int) -> None:
    try:
        ids = [(str(first), str(second)) for first, second in data["pairs"]]
        relation = np.array(data["relation"], np.float32)
        novelty = np.array(data["novelty"], np.float32)
        name = str(data["id"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"a broken line: {error!r}", source=source, line=line) from error
    schema = labels.schema
    for key, table, width in (
        ("relation", relation, len(schema.relation_labels)),
        ("novelty", novelty, len(schema.novelty_labels)),
    ):
        if ids and table.shape != (len(ids), width):
            raise DataError(
                f"'{key}' is a table of the wrong shape: {len(ids)} rows of {width} are due",
                source=source,
                line=line,
            )
        if ids and not ((table >= 0).all() and (table.sum(1) > 0).all()):
            raise DataError(
                f"'{key}' holds negative probabilities, or a row of none",
                source=source,
                line=line,
            )
    if ids:
        labels.add(name, ids, relation, novelty)


def _parsed(line: str, source: str, number: int) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except ValueError as error:
        raise DataError(f"not JSON: {error}", source=source, line=number) from error
    if not isinstance(data, dict):
        raise DataError("not a JSON object", source=source, line=number)
    return data


def _classes(schema: Schema) -> dict[str, list[str]]:
    return {
        "relation_labels": list(schema.relation_labels),
        "novelty_labels": list(schema.novelty_labels),
    }


@contextmanager
def _opened(path: Path, mode: str) -> Iterator[IO[str]]:
    if path.suffix == ".gz":
        with gzip.open(path, mode, encoding="utf-8") as stream:
            yield cast("IO[str]", stream)
    else:
        with path.open(mode, encoding="utf-8") as stream:
            yield stream


@dataclass
class TeachingReport:
    """What a teaching has done.

    Attributes:
        documents: labelled.
        pairs: labelled.
        screened: of these, pairs left to the screening model alone.
    """

    documents: int = 0
    pairs: int = 0
    screened: int = 0


class Teachers:
    """Models that label documents with probabilities.

    Args:
        models: whose probabilities are averaged.
        screen: a fast model that spares them pairs it finds clearly unrelated;
            its own probabilities stand for those.
        screen_below: the score, 1 − P(None), under which it does.

    Attributes:
        schema: of all the models.
        report: what was labelled so far.

    Raises:
        SettingsError: no model, or models of different schemas.
    """

    def __init__(
        self,
        models: Sequence[Extractor],
        *,
        screen: Extractor | None = None,
        screen_below: float = 0.0,
    ) -> None:
        self.models = tuple(models)
        self.screen = screen
        self.screen_below = screen_below
        self.schema = _common_schema([*models, *([screen] if screen else [])])
        self.report = TeachingReport()

    def write(self, documents: Iterable[Document], path: str | Path) -> None:
        """Label documents; the file appears whole or not at all.

        Args:
            documents: with mentions; their relations are not looked at.
            path: of the file, compressed where it ends in ``.gz``.
        """
        path = Path(path)
        head = {
            "format": FORMAT,
            "models": [model.name for model in self.models],
            **_classes(self.schema),
        }
        with whole_file(path) as fresh, _opened(fresh, "wt") as stream:
            stream.write(json.dumps(head) + "\n")
            for document in documents:
                stream.write(json.dumps(self._label(document), ensure_ascii=False) + "\n")

    def _label(self, document: Document) -> dict[str, Any]:
        pairs = candidate_pairs(document.with_relations(()), self.schema)
        relation = np.zeros((len(pairs), len(self.schema.relation_labels)))
        novelty = np.zeros((len(pairs), len(self.schema.novelty_labels)))
        asked = np.arange(len(pairs))
        if self.screen is not None and pairs:
            relation[:], novelty[:] = _probabilities(self.screen, document, pairs)
            asked = np.flatnonzero(1 - relation[:, 0] >= self.screen_below)
        if len(asked):
            wanted = [pairs[index] for index in asked]
            answers = [_probabilities(model, document, wanted) for model in self.models]
            relation[asked] = np.mean([answer[0] for answer in answers], axis=0)
            novelty[asked] = np.mean([answer[1] for answer in answers], axis=0)
        self.report.documents += 1
        self.report.pairs += len(pairs)
        self.report.screened += len(pairs) - len(asked)
        return {
            "id": document.id,
            "pairs": [list(pair.ids) for pair in pairs],
            "relation": np.round(relation, _DIGITS).tolist(),
            "novelty": np.round(novelty, _DIGITS).tolist(),
        }


def _common_schema(models: Sequence[Extractor]) -> Schema:
    if not models:
        raise SettingsError("no model that could teach")
    schema = models[0].schema
    for model in models[1:]:
        if _classes(model.schema) != _classes(schema):
            raise SettingsError(
                f"the models '{models[0].name}' and '{model.name}' know different classes"
            )
    return schema


def _probabilities(
    model: Extractor, document: Document, pairs: Sequence[Pair]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Relation ``[N, R + 1]`` and novelty ``[N, 3]`` of some pairs of a document.

    As calibrated as the model's answers are, and at one on how likely a pair is unrelated.
    """
    entry = next(iter(model.scored([document], pairs=lambda _: list(pairs))))
    logits, settings = entry.joined(), model.settings
    legal = legal_classes([pair.pair_type for pair in pairs], model.schema)
    relation = relation_probabilities(logits.relation, legal, settings)
    given = softmax(novelty_logits(logits.novelty, settings)[:, 1:])
    unrelated = relation[:, :1]
    return relation, np.concatenate([unrelated, (1 - unrelated) * given], axis=1)
