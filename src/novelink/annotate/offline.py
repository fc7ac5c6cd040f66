"""The package's own tagger and linker as one step; loaded when first needed."""

from __future__ import annotations

from importlib.resources import files
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from novelink.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from novelink.document import Document


class OfflineTagger:
    """Mentions by the shipped tagger, ids by lexicon and rule.

    Args:
        lexicon: folder made by ``novelink lexicon build``; without it concepts
            get ids that hold within their document.
        tagger: another tagger's model folder.
    """

    def __init__(self, lexicon: Path | None = None, tagger: Path | None = None) -> None:
        self.lexicon = lexicon
        self._folder = tagger
        self._tagger: Any = None
        self._lexicon: Any = None

    def is_there(self) -> bool:
        """Whether a tagger model is installed or was given."""
        spec = find_spec("novelink.annotate.tagger")
        if spec is None or spec.origin is None:
            return False
        return self._folder is not None or (files("novelink") / "models" / "tagger").is_dir()

    def annotate(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Documents with mentions in place of their own, in order.

        Raises:
            ModelError: there is no tagger model, or it cannot be used.
            DataError: the lexicon cannot be read.
        """
        self.load()
        from novelink.annotate.linking import link

        return iter(link(self._tagger.tag(documents), self._lexicon))

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
        from novelink.annotate.tagger import Tagger

        if self.lexicon is not None:
            from novelink.annotate.lexicon import Lexicon

            self._lexicon = Lexicon.open(self.lexicon)
        self._tagger = Tagger.load(self._folder) if self._folder else Tagger.load()
