"""What extractors over a set of models share, however answers are joined."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from novelink.extractor import Extractor
from novelink.runtime.batching import BATCH_TOKENS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from novelink.runtime.bundle import Bundle
    from novelink.runtime.model_set import ModelSet


class SetExtractor(Extractor):
    """An extractor that stands in for its first member, and has the others beside it.

    Args:
        models: an opened set.
        members: its members, the one to stand in for first.
        threads: of each member in turn.
        batch_tokens: see :meth:`Extractor.load`.
    """

    def __init__(
        self,
        models: ModelSet,
        members: Sequence[Bundle],
        *,
        threads: int | None = None,
        batch_tokens: int = BATCH_TOKENS,
    ) -> None:
        first, *others = members
        super().__init__(first, threads=threads, batch_tokens=batch_tokens)
        self._others = [
            Extractor(bundle, threads=threads, batch_tokens=batch_tokens) for bundle in others
        ]
        self._max_length = models.max_length
        self._configs = [bundle.config for bundle in members]
        self._tasks = frozenset(("relation", "novelty") if models.novelty else ("relation",))
        # onnxruntime has its own copies of the members' weights now.
        self._set = replace(models, relation=(), novelty=(), screen=None)

    @property
    def name(self) -> str:
        """The set's name."""
        return self._set.name

    @property
    def max_length(self) -> int:
        """Longest input in tokens that every member reads whole."""
        return self._max_length

    @property
    def tasks(self) -> frozenset[str]:
        """Relations, and novelty where members judge it."""
        return self._tasks

    @property
    def info(self) -> dict[str, Any]:
        """The set's configuration, and each member's."""
        return {**self._set.config, "configs": self._configs}
