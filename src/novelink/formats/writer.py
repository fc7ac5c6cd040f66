"""What every writer of documents does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import IO, TYPE_CHECKING

from novelink.errors import DataError
from novelink.formats.report import WriteReport

if TYPE_CHECKING:
    from novelink.document import Document


class Writer(ABC):
    """Writes documents one after another.

    Args:
        stream: takes bytes.
        name: the target's name for messages.

    Attributes:
        report: what was written and what the format could not hold.
    """

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self.stream = stream
        self.name = name
        self.report = WriteReport()

    @abstractmethod
    def write(self, document: Document) -> None:
        """Write one document.

        Raises:
            DataError: the format cannot hold it.
        """

    @abstractmethod
    def finish(self) -> None:
        """Write what follows the last document; called once, on a clean end."""

    def lose(self, what: str, times: int = 1) -> None:
        """Count something the format has no place for."""
        self.report.losses[what] += times

    def fault(self, message: str, *, remedy: str | None = None) -> DataError:
        """An error of this target, to be raised."""
        return DataError(message, source=self.name, remedy=remedy)


class TextWriter(Writer):
    """Writes a format that is text: one piece a document, perhaps in a frame.

    Attributes:
        head: before the first document.
        separator: between two documents.
        tail: after the last one.
    """

    head = ""
    separator = ""
    tail = ""

    @abstractmethod
    def encode(self, document: Document) -> str:
        """One document as text."""

    def write(self, document: Document) -> None:
        """Write one document.

        Raises:
            DataError: the format or UTF-8 cannot hold it.
        """
        for relation in document.relations:
            for score in (relation.score, relation.novelty_score):
                # False for NaN too, which no reader would take back.
                if score is not None and not 0 <= score <= 1:
                    raise self.fault(
                        f"document {document.id}: the score {score} of a relation is no number "
                        "from 0 to 1",
                        remedy="Give probabilities, or None where there is none",
                    )
        text = self.encode(document)
        before = self.separator if self.report.documents else self.head
        try:
            data = (before + text).encode("utf-8")
        except UnicodeEncodeError as error:
            raise self.fault(
                f"document {document.id} holds half a surrogate pair "
                f"(U+{ord(error.object[error.start]):04X}), which no file can",
                remedy="Remove the character from the input",
            ) from error
        self.stream.write(data)
        self.report.documents += 1

    def finish(self) -> None:
        """Write what follows the last document; called once, on a clean end."""
        tail = self.tail if self.report.documents else self.head + self.tail
        if tail:
            self.stream.write(tail.encode("utf-8"))
