"""The package's own tagger and linker as one step; loaded when first needed."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from novelink.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from novelink.annotate.linking import Linker
    from novelink.annotate.tagger import Tagger
    from novelink.document import Document


class OfflineTagger:
    """Mentions by the shipped tagger, ids by lexicon and rule.

    Args:
        lexicon: folder made by ``novelink lexicon build``; without it concepts
            get ids that hold within their document.
        tagger: another tagger's model folder.
        known_only: no ids for what the lexicon does not surely know.
        threads: documents read side by side; all available cores by default.
            The result does not depend on it.
    """

    def __init__(
        self,
        lexicon: Path | None = None,
        tagger: Path | None = None,
        *,
        known_only: bool = False,
        threads: int | None = None,
    ) -> None:
        self.lexicon = lexicon
        self._known_only = known_only
        self._folder = tagger
        self._threads = threads
        self._tagger: Tagger | None = None
        self._linker: Linker | None = None

    def is_there(self) -> bool:
        """Whether a tagger model is installed or was given."""
        return self._folder is not None or (files("novelink") / "models" / "tagger").is_dir()

    def annotate(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Documents with mentions in place of their own, in order.

        Raises:
            ModelError: there is no tagger model, or it cannot be used.
            DataError: the lexicon cannot be read.
        """
        self.load()
        if self._tagger is None or self._linker is None:  # load() raises where it sets neither
            raise AssertionError
        return self._tagger.tag(documents, self._linker.link_document)

    def lines(self) -> list[str]:
        """What the linker has to say on ids, for stderr."""
        return [] if self._linker is None else list(self._linker.report.lines())

    def load(self) -> None:
        """Open the model and the lexicon now, so that faults show before any work.

        Raises:
            ModelError: there is no tagger model, or it cannot be used.
            DataError: the lexicon cannot be read.
        """
        if self._tagger is not None:
            return
        if not self.is_there():
            raise ModelError(
                "this installation has no offline tagger (novelink/models/tagger)",
                remedy="Use --annotator pubtator3, or give documents with entities",
            )
        from novelink.annotate.lexicon import Lexicon
        from novelink.annotate.linking import Linker
        from novelink.annotate.tagger import Tagger
        from novelink.machine import available_cores

        lexicon = None if self.lexicon is None else Lexicon.open(self.lexicon)
        self._linker = Linker(lexicon, known_only=self._known_only)
        self._tagger = Tagger.load(self._folder, threads=self._threads or available_cores())
