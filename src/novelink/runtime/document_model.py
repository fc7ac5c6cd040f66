"""A whole-document model: one document in, the logits of all its pairs out.

The graph's contract (D documents of W windows of L tokens, K known tokens, M
start markers, E entities, P pairs, h the width of a token vector): inputs

- ``input_ids``, ``attention_mask`` int64 [D, W, L];
- ``known`` float32 [D, K, h], vectors of tokens that were encoded before, K may be 0;
- ``mentions`` int64 [D, M], places in the K + W · L tokens, known ones first;
- ``members`` float32 [D, E, M], 1 where a marker is one of the entity's;
- ``pairs`` int64 [D, P, 2], entity numbers;

outputs ``relation`` [D, P, R + 1] and ``novelty`` [D, P, 3] logits, ``attention``
[D, P, K + W · L], what each pair attended to, and ``tokens`` [D, W · L, h]; of a
model that was trained for it also ``direction`` [D, P, 2].

A document of up to :data:`WINDOWS_AT_ONCE` windows is one run. A longer one is
encoded some windows at a time, and many pairs are scored in blocks from the
vectors that are then known, so memory does not grow with W · P. Every document
runs alone, so that its bits depend on nothing else; several run side by side.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from novelink.errors import ModelError, SettingsError
from novelink.machine import available_cores
from novelink.runtime.session import Session
from novelink.runtime.started import Started

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

    from numpy.typing import NDArray

    from novelink.reading.document import DocumentInput
    from novelink.runtime.bundle import Bundle
    from novelink.runtime.session import Arrays

    Integers = NDArray[np.int64]
    Floats = NDArray[np.float32]
    Windows = Sequence[Sequence[int]]

INPUTS = ("input_ids", "attention_mask", "known", "mentions", "members", "pairs")
OUTPUTS = ("relation", "novelty", "attention", "tokens")
WINDOWS_AT_ONCE = 2
"""Windows encoded in one run."""
BLOCK_PAIRS = 256
"""Most pairs scored in one run."""
PAIR_TOKENS = 3_000_000
"""Most pairs × tokens in one run: the size of an attention map, of which a run holds about ten."""
TOKENS_SIDE_BY_SIDE = 100_000
"""Of one long document: most tokens that its runs hold at the same time, all together."""


@dataclass(frozen=True, slots=True)
class DocumentLogits:
    """Logits of a document's P pairs.

    Attributes:
        relation: float32 [P, R + 1].
        novelty: float32 [P, 3].
        attention: float32 [P, S], summed over segments; None where not asked for.
        direction: float32 [P, 2]; None of a model without it.
    """

    relation: Floats
    novelty: Floats
    attention: Floats | None = None
    direction: Floats | None = None


class DocumentModel:
    """Runs a whole-document model over any number of documents.

    Args:
        bundle: a checked model of reading ``"document"``.
        threads: documents that run side by side, or runs of one long document;
            all available cores by default.

    Raises:
        ModelError: the graph cannot be opened or has other inputs or outputs.
        SettingsError: fewer than one thread.
    """

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        self.threads = available_cores() if threads is None else threads
        if self.threads < 1:
            raise SettingsError("threads must be 1 or more")
        self._session = Session(bundle, INPUTS, OUTPUTS)
        self._width = self._session.width("known")
        self._pool = (
            ThreadPoolExecutor(self.threads, thread_name_prefix="novelink")
            if self.threads > 1
            else None
        )

    def logits(
        self, documents: Sequence[DocumentInput], segments: Sequence[Integers] | None = None
    ) -> list[DocumentLogits]:
        """Score documents; the bits of a result depend on its document alone.

        Args:
            documents: each with at least one pair.
            segments: for attention: of each document, the segment of every
                token of all windows in a row, below 0 for none. Attention is
                summed over segments.

        Raises:
            ModelError: the graph fails on an input or gives NaN or infinity.
        """
        return self.start(documents, segments).results()

    def start(
        self, documents: Sequence[DocumentInput], segments: Sequence[Integers] | None = None
    ) -> Started[DocumentLogits]:
        """As :meth:`logits`, without waiting where there are several threads."""
        futures: list[Future[DocumentLogits]] = []
        results: list[Callable[[], DocumentLogits]] = []
        for document, parts in zip(
            documents, [None] * len(documents) if segments is None else segments, strict=True
        ):
            score = partial(self._score, document, parts)
            # A document of many runs spreads them over the threads itself, from outside the pool.
            if self._pool is None or _is_long(document):
                results.append(score)
            else:
                futures.append(self._pool.submit(score))
                results.append(futures[-1].result)
        return Started(results, futures)

    def _score(self, document: DocumentInput, segments: Integers | None) -> DocumentLogits:
        layout = _Layout(document)
        members = _members(document)
        pairs = np.array(document.pairs, np.int64)
        most = max(1, min(BLOCK_PAIRS, PAIR_TOKENS // layout.tokens))
        first, *others = (pairs[begin : begin + most] for begin in range(0, len(pairs), most))
        vectors = self._earlier(layout, grow=bool(others))
        runs_of = _Sums(segments)
        names = tuple(
            name
            for name in self._session.outputs
            if name != "tokens" and (name != "attention" or segments is not None)
        )

        def run(block: Integers, *, is_first: bool) -> tuple[Arrays, Arrays]:
            columns = layout.columns if is_first else np.arange(layout.tokens)
            outputs = self._session.run(
                {
                    **(_window_feed(layout.last) if is_first else _BLANK),
                    "known": vectors[:, : layout.known] if is_first else vectors,
                    "mentions": columns[layout.mentions][None],
                    "members": members,
                    "pairs": block[None],
                },
                (*names, "tokens") if is_first and others else names,
            )
            kept = {name: outputs[name][0] for name in names}
            if segments is not None:
                kept["attention"] = runs_of.of(kept["attention"], columns)
            return outputs, kept

        outputs, kept = run(first, is_first=True)
        blocks = [kept]
        if others:
            vectors[0, layout.known :] = outputs["tokens"][0][
                layout.columns[layout.known :] - layout.known
            ]
            del outputs
            blocks += self._side_by_side(
                [partial(lambda block: run(block, is_first=False)[1], block) for block in others],
                layout.tokens,
            )
        joined = {name: np.concatenate([block[name] for block in blocks]) for name in names}
        if not all(np.isfinite(part).all() for part in joined.values()):
            raise ModelError(
                "the model gave something that is not a number",
                remedy="Check it with: novelink models verify; then export it again",
            )
        return DocumentLogits(**joined)

    def _earlier(self, layout: _Layout, *, grow: bool) -> Floats:
        """Vectors of the windows before the last group; with room for all if to grow."""
        vectors = np.empty(
            (1, layout.tokens if grow else layout.known, self._width), dtype=np.float32
        )

        def encode(begin: int, windows: Windows) -> None:
            tokens = self._session.run(
                {**_window_feed(windows), **_NO_PAIRS, "known": vectors[:, :0]}, ("tokens",)
            )["tokens"]
            vectors[:, begin : begin + tokens.shape[1]] = tokens

        jobs = []
        begin = 0
        for group in layout.groups:
            jobs.append(partial(encode, begin, group))
            begin += sum(map(len, group))
        self._side_by_side(jobs, 512 * WINDOWS_AT_ONCE)
        return vectors

    def _side_by_side(self, jobs: Sequence[Callable[[], Any]], tokens: int) -> list[Any]:
        """Results of the runs of one document, each of so many tokens."""
        at_once = min(self.threads, max(1, TOKENS_SIDE_BY_SIDE // tokens))
        if self._pool is None or at_once == 1:
            return [job() for job in jobs]
        results: list[Any] = []
        for begin in range(0, len(jobs), at_once):
            futures = [self._pool.submit(job) for job in jobs[begin : begin + at_once]]
            results += [future.result() for future in futures]
        return results


class _Layout:
    """Where a document's tokens are in its first run, the one that encodes its last windows.

    Attributes:
        tokens: of all windows.
        groups: windows encoded before, some at a time; each has windows of one length.
        known: tokens of these.
        last: the remaining windows.
        columns: for every token of all windows in a row its place in the run, where windows are
            padded to the longest.
        mentions: tokens, in this row, that are start markers.
    """

    def __init__(self, document: DocumentInput) -> None:
        windows = document.windows
        # All windows but the last are of one length, so only the last group is ever padded.
        cut = (len(windows) - 1) // WINDOWS_AT_ONCE * WINDOWS_AT_ONCE
        self.groups = [
            windows[begin : begin + WINDOWS_AT_ONCE] for begin in range(0, cut, WINDOWS_AT_ONCE)
        ]
        self.last = windows[cut:]
        begins = np.cumsum([0, *map(len, windows)])
        self.tokens = int(begins[-1])
        self.known = int(begins[cut])
        longest = max(map(len, self.last))
        self.columns = np.concatenate(
            [
                np.arange(self.known),
                *(
                    self.known + row * longest + np.arange(len(window))
                    for row, window in enumerate(self.last)
                ),
            ]
        )
        self.mentions = np.array(
            [begins[window] + place for window, place in document.markers], np.int64
        )


class _Sums:
    """Sums over segments along the tokens."""

    def __init__(self, segments: Integers | None) -> None:
        if segments is None or not len(segments):
            return
        self._begins = np.flatnonzero(np.diff(segments, prepend=segments[0] - 1))
        self._owners = segments[self._begins]
        self._count = int(segments.max()) + 1

    def of(self, attention: Floats, columns: Integers) -> Floats:
        """``[P, T]`` → ``[P, S]``."""
        # Equal neighbours are summed first; a sentence in two windows has two such stretches.
        stretches = np.add.reduceat(attention[:, columns], self._begins, axis=1)
        sums = np.zeros((len(attention), self._count), np.float32)
        for column, owner in enumerate(self._owners):
            if owner >= 0:
                sums[:, owner] += stretches[:, column]
        return sums


def _is_long(document: DocumentInput) -> bool:
    return len(document.windows) > WINDOWS_AT_ONCE or len(document.pairs) > BLOCK_PAIRS


def _members(document: DocumentInput) -> Floats:
    markers = document.markers
    members = np.zeros((1, document.entities, len(markers)), np.float32)
    for column, owners in enumerate(markers.values()):
        members[0, owners, column] = 1.0
    return members


def _window_feed(windows: Windows) -> dict[str, Integers]:
    """``input_ids`` and ``attention_mask`` of one document, padded to the longest window."""
    longest = max(map(len, windows))
    ids = np.zeros((1, len(windows), longest), np.int64)
    mask = np.zeros_like(ids)
    for row, window in enumerate(windows):
        ids[0, row, : len(window)] = window
        mask[0, row, : len(window)] = 1
    return {"input_ids": ids, "attention_mask": mask}


_BLANK: dict[str, Integers] = {
    "input_ids": np.zeros((1, 1, 1), np.int64),
    "attention_mask": np.zeros((1, 1, 1), np.int64),
}
"""For runs from known vectors: one token of padding, which nothing attends to."""

_NO_PAIRS: dict[str, NDArray[Any]] = {
    "mentions": np.zeros((1, 1), np.int64),
    "members": np.ones((1, 1, 1), np.float32),
    "pairs": np.zeros((1, 1, 2), np.int64),
}
"""For runs that only encode: one pair that nobody asks for."""


def feed(document: DocumentInput, width: int) -> dict[str, NDArray[Any]]:
    """The graph's inputs for a document in one run, whatever its size.

    Args:
        document: W windows of at most L tokens, M start markers, E entities,
            and P pairs, at least one.
        width: of a token vector.

    Returns:
        ``input_ids`` and ``attention_mask`` ``[1, W, L]``, ``known`` ``[1, 0, width]``,
        ``mentions`` ``[1, M]``, ``members`` ``[1, E, M]``, ``pairs`` ``[1, P, 2]``.
    """
    longest = max(map(len, document.windows))
    places = [window * longest + place for window, place in document.markers]
    return {
        **_window_feed(document.windows),
        "known": np.zeros((1, 0, width), np.float32),
        "mentions": np.array([places], np.int64),
        "members": _members(document),
        "pairs": np.array([document.pairs], np.int64),
    }
