"""What every reader does with a document: names checked, faults counted or raised."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from novelink.document import NOT_NOVEL, NOVEL, Document, check_document
from novelink.errors import DataError
from novelink.formats.unpacking import CutOffError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from novelink.formats.report import ReadReport
    from novelink.schema import Schema

_HALF_PAIR = re.compile("[\ud800-\udfff]")

# PubTator 3's search page names its relations by verbs; the corpus it learnt from has these.
_RELATION_VERBS = {
    "associate": "Association",
    "cause": "Positive_Correlation",
    "compare": "Comparison",
    "convert": "Conversion",
    "cotreat": "Cotreatment",
    "drug_interact": "Drug_Interaction",
    "inhibit": "Negative_Correlation",
    "interact": "Bind",
    "negative_correlate": "Negative_Correlation",
    "positive_correlate": "Positive_Correlation",
    "prevent": "Negative_Correlation",
    "stimulate": "Positive_Correlation",
    "treat": "Negative_Correlation",
}


class Intake:
    """The settings of one reading and the counts it keeps.

    Args:
        name: the source's name for messages.
        schema: which types exist.
        lenient: leave bad documents out and count them.
        report: where counts go.
        seen: ids already read; shared between the sources of one run.

    Attributes:
        escapes: whether the source writes characters as escapes, as JSON does:
            then it may hold what no UTF-8 file can.
    """

    def __init__(
        self, name: str, schema: Schema, *, lenient: bool, report: ReadReport, seen: set[str]
    ) -> None:
        self.name = name
        self.schema = schema
        self.lenient = lenient
        self.report = report
        self.seen = seen
        self.escapes = False
        self._accepted = 0
        self._entity_types: dict[str, str] = {name: name for name in schema.entity_types}
        for alias, name_here in schema.aliases.items():
            self._entity_types.setdefault(alias, name_here)
        self._relation_types: dict[str, str] = {
            verb: name for verb, name in _RELATION_VERBS.items() if name in schema.relation_types
        }
        self._relation_types.update({name: name for name in schema.relation_types})

    def fault(
        self, message: str, *, line: int | None = None, remedy: str | None = None
    ) -> DataError:
        """An error of this source, to be raised."""
        return DataError(message, source=self.name, line=line, remedy=remedy)

    def skip(self, error: DataError) -> None:
        """Count a bad document under ``lenient``; otherwise raise its error.

        A container that ends too early is counted as one document, the one in
        which it ended. Where that leaves no document at all, the source is not
        what it should be, and that is an error all the same.
        """
        if not self.lenient or (isinstance(error, CutOffError) and not self._accepted):
            raise error
        if isinstance(error, CutOffError):
            error.message += "; nothing after this place was read"
        # Its remedy is mostly --lenient, which has been followed.
        self.report.skip(DataError(error.message, source=error.source, line=error.line))

    def entity_type(self, name: str, line: int | None = None) -> str | None:
        """The schema's name of an entity type, None for one to leave out.

        Raises:
            DataError: the type is not known.
        """
        found = self._entity_types.get(name)
        if found is not None:
            return found
        if name in self.schema.ignored_types:
            self.report.ignored_types[name] += 1
            return None
        raise self.fault(
            f"unknown entity type '{name}'",
            line=line,
            remedy=f"Schema {self.schema.name} knows {', '.join(self.schema.entity_types)}; "
            "for another vocabulary give a schema file (--schema)",
        )

    def relation_type(self, name: str, line: int | None = None) -> str:
        """The schema's name of a relation type.

        Raises:
            DataError: the type is not known.
        """
        found = self._relation_types.get(name)
        if found is None:
            raise self.fault(
                f"unknown relation type '{name}'",
                line=line,
                remedy=f"Schema {self.schema.name} knows {', '.join(self.schema.relation_types)}; "
                "for another vocabulary give a schema file (--schema)",
            )
        return found

    def novelty(self, name: str, line: int | None = None) -> str | None:
        """A novelty label; nothing and ``None`` mean that the source has none.

        Raises:
            DataError: the label is neither Novel nor No.
        """
        if name in {NOVEL, NOT_NOVEL}:
            return name
        if name in {"", "None", "-"}:
            return None
        raise self.fault(
            f"unknown novelty '{name}'", line=line, remedy=f"It is {NOVEL} or {NOT_NOVEL}"
        )

    def probability(self, text: str, what: str, line: int | None = None) -> float:
        """A number from 0 to 1.

        Raises:
            DataError: it is none.
        """
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        # False for NaN too.
        if not 0.0 <= value <= 1.0:
            raise self.fault(
                f"{what} '{text}' is no number from 0 to 1",
                line=line,
                remedy="Write a probability such as 0.93",
            )
        return value

    def accept(
        self,
        document: Document,
        line: int | None = None,
        mention_lines: Mapping[int, int] | None = None,
    ) -> Document:
        """Check a document and count it.

        Raises:
            DataError: its offsets are wrong or its id was read before.
        """
        if document.id in self.seen:
            raise self.fault(
                f"document {document.id} occurs twice",
                line=line,
                remedy="Remove one, or use --lenient to keep the first",
            )
        check_document(document, source=self.name, line=line, mention_lines=mention_lines)
        if self.escapes and _has_half_pair(document):
            raise self.fault(
                f"document {document.id} holds half a surrogate pair",
                line=line,
                remedy="Such text cannot be written as UTF-8: remove the character",
            )
        self._accepted += 1
        self.seen.add(document.id)
        self.report.documents += 1
        return document


def _has_half_pair(document: Document) -> bool:
    texts = "\0".join(_strings(document))
    return not texts.isascii() and _HALF_PAIR.search(texts) is not None


def _strings(document: Document) -> Iterator[str]:
    """All of a document's strings that are not pieces of its text or names of a schema."""
    yield document.id
    for key, value in document.infons:
        yield from (key, value)
    for passage in document.passages:
        yield from (passage.text, passage.type)
        for key, value in passage.infons:
            yield from (key, value)
    for mention in document.mentions:
        yield from mention.concept_ids
        if mention.source_id is not None:
            yield mention.source_id
    for relation in document.relations:
        yield from (relation.id1, relation.id2, relation.subject or "")
