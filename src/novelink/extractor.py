"""Documents in, documents with relations out: what users import.

>>> from novelink import Extractor, read
>>> for document in Extractor.load().extract(read("abstracts.pubtator")):  # doctest: +SKIP
...     print(document.id, document.relations)
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from novelink.decode import DecisionSettings, decide, relations_of
from novelink.errors import ModelError, SettingsError
from novelink.evidence import EvidenceReader
from novelink.extraction_report import ExtractionReport
from novelink.pairs import candidate_pairs
from novelink.runtime.batching import BATCH_TOKENS
from novelink.runtime.bundle import CONFIG, Bundle
from novelink.runtime.model_set import ModelSet, open_model
from novelink.runtime.readers import open_reader
from novelink.scored_document import ScoredDocument, ScoringWindow

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from novelink.document import Document
    from novelink.pairs import Pair
    from novelink.runtime.readers import Block
    from novelink.schema import Schema

__all__ = ["ExtractionReport", "Extractor", "ScoredDocument"]

_LOG = logging.getLogger(__name__)

WINDOW_TOKENS = 65_536
WINDOW_DOCUMENTS = 256
"""What is gathered across documents before it is scored, whichever is reached first: bounds
memory and, for a stream, how far the output runs behind the input."""


class Extractor:
    """Finds relations with one model. Make it with :meth:`load`.

    May be used from several threads at once; pass each call its own report
    then.

    Attributes:
        report: counts of the latest :meth:`extract`.
    """

    def __init__(
        self, bundle: Bundle, *, threads: int | None = None, batch_tokens: int = BATCH_TOKENS
    ) -> None:
        source = str(bundle.folder / CONFIG)
        try:
            self._settings = DecisionSettings.from_dict(bundle.decision)
        except SettingsError as error:
            raise ModelError(error.message, source=source, remedy=error.remedy) from error
        self._reader = open_reader(bundle, threads=threads, batch_tokens=batch_tokens)
        # onnxruntime has its own copy of the weights now.
        self._bundle = replace(bundle, contents={})
        self.report = ExtractionReport()
        _LOG.info(
            "model %s: %s reading, windows of %d tokens, %d threads",
            bundle.name,
            bundle.reading,
            bundle.max_length,
            self.threads,
        )

    @classmethod
    def load(
        cls,
        model: str | os.PathLike[str] | None = None,
        *,
        threads: int | None = None,
        batch_tokens: int = BATCH_TOKENS,
    ) -> Extractor:
        """Open a model.

        Args:
            model: name of an embedded model, the folder of a model or of a set
                of models, or None for the embedded default.
            threads: samples scored side by side; all available cores by
                default. The result does not depend on it.
            batch_tokens: most tokens that are scored in one go. The result
                does not depend on it.

        Raises:
            ModelError: there is no such model, or its folder is incomplete,
                changed or made for another version.
            SettingsError: a number below 1.
        """
        opened = open_model(model)
        if isinstance(opened, ModelSet):
            from novelink.ensemble import set_extractor

            return set_extractor(opened, threads=threads, batch_tokens=batch_tokens)
        return cls(opened, threads=threads, batch_tokens=batch_tokens)

    @property
    def name(self) -> str:
        """The model's name."""
        return self._bundle.name

    @property
    def schema(self) -> Schema:
        """The vocabulary that the model knows."""
        return self._bundle.schema

    @property
    def max_length(self) -> int:
        """Longest input in tokens.

        Of longer documents, per-pair reading sees the part around the pair, the
        other readings everything in overlapping windows.
        """
        return self._bundle.max_length

    @property
    def threads(self) -> int:
        """Samples scored side by side."""
        return self._reader.threads

    @property
    def tasks(self) -> frozenset[str]:
        """Which of ``relation``, ``novelty`` and ``direction`` the model was trained for."""
        named = self._bundle.config.get("tasks", ("relation", "novelty"))
        return frozenset(named) & {"relation", "novelty", "direction"}

    @property
    def settings(self) -> DecisionSettings:
        """The model's own thresholds and temperatures."""
        return self._settings

    @property
    def gives_evidence(self) -> bool:
        """Whether the model can say which sentences a relation rests on."""
        return self._reader.gives_evidence

    @property
    def info(self) -> dict[str, Any]:
        """The model's configuration: data, recipe, scores, versions."""
        return dict(self._bundle.config)

    def extract(
        self,
        documents: Iterable[Document],
        *,
        min_score: float | None = None,
        evidence: bool = False,
        report: ExtractionReport | None = None,
    ) -> Iterator[Document]:
        """Find the relations of documents.

        Relations that a document already has are replaced, never mixed in. The
        same document gets the same relations whatever comes before or after
        it, and whatever the number of threads.

        Args:
            documents: with mentions that carry concept ids; read as a stream.
            min_score: least score of a relation, 0–1, in place of the model's
                own threshold.
            evidence: also give the sentences that a relation rests on.
            report: counts into this one instead of a new one.

        Returns:
            A generator of the documents in the same order; nothing is read
            before the first one is asked for.

        Raises:
            SettingsError: ``min_score`` lies outside 0–1.
            ModelError: evidence is asked of a model that gives none, or the
                model was trained for novelty alone.
        """
        settings = self._settings
        if "relation" not in self.tasks:
            raise ModelError(
                f"the model '{self.name}' judges novelty only",
                remedy="Join it with models of relations: novelink ensemble",
            )
        if min_score is not None:
            if not 0 <= min_score <= 1:
                raise SettingsError(f"the least score is {min_score}, not within 0–1")
            settings = replace(settings, threshold=min_score)
        if evidence and not self.gives_evidence:
            raise ModelError(
                f"the model '{self.name}' gives no evidence",
                remedy="Choose a model that does not read per pair (novelink models list)",
            )
        self.report = ExtractionReport() if report is None else report
        return self._extract(documents, settings, self.report, evidence=evidence)

    def _extract(
        self,
        documents: Iterable[Document],
        settings: DecisionSettings,
        report: ExtractionReport,
        *,
        evidence: bool,
    ) -> Iterator[Document]:
        for entry in self.scored(documents, evidence=evidence):
            yield self._finish(entry, settings, report)

    def scored(
        self,
        documents: Iterable[Document],
        *,
        evidence: bool = False,
        pairs: Callable[[Document], list[Pair]] | None = None,
    ) -> Iterator[ScoredDocument]:
        """Documents with their pairs and the logits of each, before anything is decided.

        Args:
            documents: read as a stream.
            evidence: also keep what each pair attended to.
            pairs: gives the pairs of a document to score; all candidates by default.
        """
        chosen = pairs or self._candidates
        # Where threads do the scoring, one window is under way while the answers of the one before
        # are given out and the documents of the next one are read and tokenised.
        in_flight = 2 if self._reader.overlaps else 1
        most_tokens = max(1, WINDOW_TOKENS // in_flight)
        most_documents = max(1, WINDOW_DOCUMENTS // in_flight)
        pending: deque[ScoredDocument] = deque()
        running: deque[ScoringWindow] = deque()
        window = ScoringWindow()
        try:
            for document in documents:
                entry = ScoredDocument(document, chosen(document))
                pending.append(entry)
                for block in self._blocks(entry, evidence=evidence):
                    window.add(entry, block)
                    if window.tokens >= most_tokens:
                        window = self._turn(running, window, in_flight)
                window.documents += 1
                if window.documents >= most_documents:
                    window = self._turn(running, window, in_flight)
                while pending and not pending[0].missing:
                    yield pending.popleft()
            self._turn(running, window, 1)
            while pending:
                yield pending.popleft()
        finally:
            for window in running:
                window.cancel()

    def _candidates(self, document: Document) -> list[Pair]:
        return candidate_pairs(document.with_relations(()), self.schema)

    def _blocks(self, entry: ScoredDocument, *, evidence: bool) -> Iterator[Block]:
        for block in self._reader.blocks(entry.document, entry.pairs):
            if evidence and block.whole is not None:
                entry.evidence = EvidenceReader(entry.document, block.whole)
                yield replace(block, borders=tuple(entry.evidence.borders))
            else:
                yield block

    def _turn(
        self, running: deque[ScoringWindow], window: ScoringWindow, in_flight: int
    ) -> ScoringWindow:
        """Start a window, finish those beyond the number in flight, begin a new one."""
        window.start(self._reader)
        running.append(window)
        while len(running) >= in_flight:
            running.popleft().settle()
        return ScoringWindow()

    def _finish(
        self, entry: ScoredDocument, settings: DecisionSettings, report: ExtractionReport
    ) -> Document:
        entry.count_into(report)
        _LOG.debug("document %s: %d pairs scored", entry.document.id, len(entry.pairs))
        if not entry.pairs:
            return entry.document.with_relations(())
        logits = entry.joined()
        decisions = decide(
            logits.relation,
            logits.novelty if "novelty" in self.tasks else None,
            [pair.pair_type for pair in entry.pairs],
            self.schema,
            settings,
            direction=logits.direction,
        )
        relations = relations_of(entry.pairs, decisions)
        reader, attention = entry.evidence, logits.attention
        if reader is not None and attention is not None:
            rows = [row for row, decision in enumerate(decisions) if decision.related]
            relations = [
                replace(relation, evidence=reader.read(row, attention[row]))
                for relation, row in zip(relations, rows, strict=True)
            ]
        report.relations += len(relations)
        return entry.document.with_relations(relations)
