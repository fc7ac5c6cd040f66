"""Does a model say here what it said where it was made?

A model folder may hold ``self_test.json``: the model's answers for the example
document that comes with the package, before any threshold or calibration. They
are compared with the answers of the machine at hand.

.. code-block:: json

    {"document": "sha256 of the example", "pairs": [
      {"ids": ["5728", "9863"], "type": "Bind", "related": 0.9312, "novel": 0.8741}]}

A model that finds entities has ``"mentions": [[8, 12, "GeneOrGeneProduct"]]``
in place of ``pairs``, at its own thresholds: after a change of these it is
recorded again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from novelink.errors import ModelError
from novelink.runtime.bundle import EMBEDDED, load_bundle

if TYPE_CHECKING:
    import os

    from novelink.document import Document
    from novelink.runtime.bundle import Bundle

FILE = "self_test.json"
EXAMPLE = EMBEDDED / "self-test.jsonl"

TOLERANCE = 0.1
"""Largest difference of a probability that rounding elsewhere may make.

With the models of 0.1.0 that was 0.065 between onnxruntime 1.18 and 1.32, whose kernels for int8
round differently since 1.28, and 0.015 (compact-pair) on an emulated processor that has AVX2 but
no instructions for int8; a model that is broken is wrong by far more.
"""
SHARE = 0.8
"""Least share of mentions, of those found here or expected, that must be the same."""

_AGAIN = "Record its answers again: novelink doctor --record FOLDER"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Answers of a model here, against those it is expected to give.

    Attributes:
        compared: pairs of entities, or mentions, that were compared.
        difference: largest difference of a probability, 0–1; for a model that
            finds entities the share of mentions that differ.
        most: the largest difference that is well.
    """

    compared: int
    difference: float
    most: float

    @property
    def is_well(self) -> bool:
        """Whether the model works as it should."""
        return self.difference <= self.most


def example() -> Document:
    """The document: entities of all six BioRED types, ids included. Its text is made up.

    Raises:
        ModelError: this installation has lost it.
    """
    from novelink.formats import read

    if not EXAMPLE.is_file():
        raise ModelError("the example document is missing", source=str(EXAMPLE))
    (document,) = read(EXAMPLE)
    return document


def record(folder: str | os.PathLike[str]) -> bool:
    """Keep a model's answers of this machine in its folder, manifest included.

    Returns:
        Whether there was anything to keep: a model of another vocabulary has no
        answer for the example.

    Raises:
        ModelError: the folder holds no whole model, or cannot be written.
    """
    from novelink.runtime.revision import revise

    bundle = load_bundle(folder)
    found = _answers(bundle)
    if not found:
        return False
    text = json.dumps({"document": _digest(), **found}, indent=1, ensure_ascii=False) + "\n"
    revise(bundle.folder, {FILE: text.encode("utf-8")})
    return True


def compare(bundle: Bundle) -> Comparison | None:
    """Run a model over the example and compare; None where its folder says nothing of it.

    Raises:
        ModelError: the model cannot be run, or what its folder says is of
            another example or not in the right form.
    """
    if FILE not in bundle.files:
        return None
    source = str(bundle.folder / FILE)
    try:
        expected = json.loads((bundle.folder / FILE).read_bytes())
        if expected["document"] != _digest():
            raise ModelError(
                "expected answers are of another version's example", source=source, remedy=_AGAIN
            )
        found = _answers(bundle)
        if "mentions" in expected:
            return _compare_mentions(expected["mentions"], found["mentions"])
        return _compare_pairs(expected["pairs"], found["pairs"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"not the answers of a model ({error})", source=source, remedy=_AGAIN
        ) from error


def _answers(bundle: Bundle) -> dict[str, list[Any]]:
    if bundle.reading == "tagger":
        from novelink.annotate.tagger import Tagger

        found = Tagger(bundle).tag_document(example().with_mentions(()))
        return {"mentions": [[one.start, one.end, one.type] for one in found.mentions]}
    pairs = _pairs(bundle)
    return {"pairs": pairs} if pairs else {}


def _pairs(bundle: Bundle) -> list[dict[str, Any]]:
    from novelink.decode import DecisionSettings, decide
    from novelink.extractor import Extractor

    extractor = Extractor(bundle, threads=1)
    (scored,) = extractor.scored([example()])
    if not scored.pairs:
        return []
    logits = scored.joined()
    # Neutral settings: a model that is calibrated anew still gives the same answers here.
    decisions = decide(
        logits.relation,
        logits.novelty,
        [pair.pair_type for pair in scored.pairs],
        bundle.schema,
        DecisionSettings(threshold=0.0, novel_threshold=0.0),
    )
    return [
        {
            "ids": list(pair.ids),
            "type": decision.type,
            "related": decision.score,
            "novel": decision.novelty_score,
        }
        for pair, decision in zip(scored.pairs, decisions, strict=True)
    ]


def _compare_pairs(expected: list[Any], found: list[Any]) -> Comparison:
    if [one["ids"] for one in expected] != [one["ids"] for one in found]:
        return Comparison(len(expected), 1.0, TOLERANCE)
    differences = [
        abs(float(left[key]) - float(right[key]))
        for left, right in zip(expected, found, strict=True)
        for key in ("related", "novel")
        if left[key] is not None and right[key] is not None
    ]
    return Comparison(len(expected), max(differences, default=0.0), TOLERANCE)


def _compare_mentions(expected: list[Any], found: list[Any]) -> Comparison:
    left, right = ({tuple(one) for one in side} for side in (expected, found))
    joined = left | right
    share = len(left & right) / len(joined) if joined else 1.0
    return Comparison(len(joined), 1.0 - share, 1.0 - SHARE)


def _digest() -> str:
    return hashlib.sha256(EXAMPLE.read_bytes()).hexdigest()
