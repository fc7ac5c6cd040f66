"""Finding mentions with the exported model."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from novelink.errors import ModelError
from novelink.runtime.bundle import EMBEDDED, Bundle, load_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from novelink.annotate.tagger.encoding import Window
    from novelink.document import Document

NAME = "tagger"
"""The model that ships with the package."""
READING = "tagger"
INPUTS = ("input_ids", "shape_ids")
"""Both int64 [B, L]; samples of one length, never padded."""
OUTPUTS = ("labels",)
# Documents read ahead for each thread, so that none waits for a long one.
_AHEAD = 4


class Tagger:
    """Tags the entities of documents; made by :meth:`load`.

    Args:
        bundle: a checked model folder whose reading is ``tagger``.
        threads: documents read side by side.

    Raises:
        ModelError: the folder holds another kind of model.
    """

    def __init__(self, bundle: Bundle, *, threads: int = 1) -> None:
        from novelink.annotate.tagger.encoding import TaggerReading
        from novelink.runtime.session import Session

        if bundle.reading != READING:
            raise ModelError(
                f"this model reads by {bundle.reading}; it does not tag entities",
                source=str(bundle.folder),
                remedy="Give the folder of a tagger, or leave the option out",
            )
        self.bundle = bundle
        self.types = bundle.schema.entity_types
        settings = bundle.config.get("tagger", {})
        self.thresholds = [
            float(settings.get("thresholds", {}).get(name, 0.5)) for name in self.types
        ]
        self.second_look = bool(settings.get("second_look", True))
        self.threads = max(1, threads)
        self._reading = TaggerReading(
            bundle.tokenizer(), bundle.max_length, int(settings.get("overlap", 96))
        )
        self._session = Session(bundle, INPUTS, OUTPUTS)

    @classmethod
    def load(cls, path_or_name: str | Path | None = None, *, threads: int = 1) -> Tagger:
        """Open a tagger.

        Args:
            path_or_name: model folder or name; None is the shipped one.
            threads: documents read side by side.

        Raises:
            ModelError: there is no such model, or it is damaged.
        """
        return cls(
            load_bundle(EMBEDDED / NAME if path_or_name is None else path_or_name), threads=threads
        )

    def tag(
        self,
        documents: Iterable[Document],
        then: Callable[[Document], Document] | None = None,
    ) -> Iterator[Document]:
        """Documents with mentions in place of their own, in order.

        The answer for a document does not depend on the others or on threads.
        Relations, which rest on ids that the new mentions do not have, go.

        Args:
            documents: read as a stream, some ahead of what is taken.
            then: what else to do with each tagged document, in its thread.
        """

        def work(document: Document) -> Document:
            tagged = self.tag_document(document)
            return tagged if then is None else then(tagged)

        if self.threads == 1:
            yield from map(work, documents)
            return
        ahead: deque[Future[Document]] = deque()
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                for document in documents:
                    ahead.append(pool.submit(work, document))
                    if len(ahead) >= _AHEAD * self.threads:
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            finally:
                for left in ahead:
                    left.cancel()

    def tag_document(self, document: Document) -> Document:
        """One document with mentions in place of its own."""
        from novelink.annotate.tagger.decoding import find_mentions

        answer = self.probabilities(document)
        mentions = (
            find_mentions(
                document, *answer, self.types, self.thresholds, look_twice=self.second_look
            )
            if answer
            else ()
        )
        return document.with_mentions(mentions).with_relations(())

    def probabilities(
        self, document: Document
    ) -> tuple[NDArray[np.float32], list[tuple[int, int]]] | None:
        """Label probabilities of a document's tokens, and the tokens' places.

        Returns:
            float32 [tokens, types, 3] and ``(start, end)`` of each token; None
            for a document without tokens.
        """
        import numpy as np

        from novelink.annotate.tagger.spans import softmax

        windows = self._reading.encode(document)
        if not windows:
            return None
        parts: list[NDArray[np.float32]] = []
        spans: list[tuple[int, int]] = []
        for window in windows:
            first, last = window.keep
            parts.append(self._logits(window)[first:last])
            spans.extend(window.spans[first:last])
        return softmax(np.concatenate(parts)), spans

    def _logits(self, window: Window) -> NDArray[np.float32]:
        import numpy as np

        feed: dict[str, Any] = {
            "input_ids": np.array([window.ids], dtype=np.int64),
            "shape_ids": np.array([window.shapes], dtype=np.int64),
        }
        labels: NDArray[np.float32] = self._session.run(feed)["labels"][0]
        return labels.reshape(len(window.ids), len(self.types), 3)
