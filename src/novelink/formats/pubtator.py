"""PubTator text: title and abstract lines, then one line per mention and relation.

::

    15485686|t|A novel SCN5A mutation …
    15485686|a|OBJECTIVE: …
    15485686⇥8⇥13⇥SCN5A⇥GeneOrGeneProduct⇥6331
    15485686⇥Association⇥6331⇥D008133⇥Novel

Positions count from the title; the abstract begins one character after its end.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from novelink import limits
from novelink.document import Document, Mention, Passage
from novelink.errors import DataError
from novelink.formats.identifiers import read_ids, survives, written_id
from novelink.formats.pubtator_relations import SUBJECT, RelationLines
from novelink.formats.unpacking import CutOffError
from novelink.formats.writer import TextWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.document import Relation
    from novelink.formats.intake import Intake
    from novelink.formats.source import Source

_HEADER = re.compile(r"([^|\t]+)\|([A-Za-z])\|")
_OLD_LINE_END = re.compile(r"\r[^|\t\r]+(?:\|[ta]\||\t)")
_SHAPE = (
    "A document is: id|t|title, id|a|abstract, then tab-separated lines of mentions "
    "(id, start, end, text, type, concept id) and relations (id, type, id1, id2, Novel or No)"
)


def sniff(prefix: bytes) -> bool:
    """Whether content begins like PubTator text."""
    return re.match(rb"(?:\xef\xbb\xbf)?\s*+[^|\t\r\n<{\[]++\|[ta]\|", prefix) is not None


def read_pubtator(source: Source, intake: Intake) -> Iterator[Document]:
    """Documents of a PubTator file, one at a time.

    A document begins at its ``|t|`` line and ends where the next one begins:
    blank lines may be missing or doubled.

    Raises:
        DataError: a line is wrong; under ``lenient`` its document is counted
            and left out.
    """
    building: _Builder | None = None
    broken = False  # the lines up to the next title belong to a document that is left out
    try:
        for raw in source.lines():
            finished = None
            try:
                text = _decode(raw, source, intake)
                header = _HEADER.match(text)
                if header is not None and header[2] == "t":
                    finished = building
                    broken = False
                    building = _Builder(
                        header[1].strip(), text[header.end() :], source.line, intake
                    )
                elif broken or not text or text.isspace():
                    continue
                elif building is None:
                    raise intake.fault(
                        "a line before any title line", line=source.line, remedy=_SHAPE
                    )
                elif header is not None:
                    building.abstract(header, text, source.line)
                else:
                    building.line(text, source.line)
            except DataError as error:
                intake.skip(error)
                building, broken = None, True
            if finished is not None:
                yield from finished.documents()
    except CutOffError as error:
        # The document being read when the file broke off may lack its last lines.
        intake.skip(error)
        return
    if building is not None:
        yield from building.documents()


def _decode(raw: bytes, source: Source, intake: Intake) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise intake.fault(
            f"not UTF-8 (byte 0x{raw[error.start]:02x} at column {error.start + 1})",
            line=source.line,
            remedy="Save the file as UTF-8",
        ) from error
    if source.line == 1:
        text = text.removeprefix("\ufeff")
    text = text.rstrip("\n").removesuffix("\r")
    if "\r" in text and _OLD_LINE_END.search(text):
        raise intake.fault(
            "lines end in a carriage return alone",
            line=source.line,
            remedy="Save the file with line ends LF or CRLF",
        )
    return text


class _Builder:
    """One document while its lines are read."""

    def __init__(self, doc_id: str, title: str, line: int, intake: Intake) -> None:
        self.id = doc_id
        self.intake = intake
        self.first_line = line
        self.passages = [Passage(0, title, "title")]
        self.text = title
        self.mentions: list[Mention] = []
        self.mention_lines: dict[int, int] = {}
        self.relations = RelationLines(intake)
        # Lines of mentions and relations that may still come, those left out included.
        self.left = limits.MENTIONS + limits.RELATIONS

    def abstract(self, header: re.Match[str], text: str, line: int) -> None:
        """Take an ``id|a|`` line."""
        self._check_id(header[1].strip(), line)
        if header[2] != "a" or len(self.passages) > 1 or self.mentions or self.relations:
            raise self.intake.fault(
                f"document {self.id}: unexpected line '{header[0]}'", line=line, remedy=_SHAPE
            )
        abstract = text[header.end() :]
        self.passages.append(Passage(len(self.text) + 1, abstract, "abstract"))
        self.text = f"{self.text} {abstract}"

    def line(self, text: str, line: int) -> None:
        """Take a mention, relation or direction line."""
        self.left -= 1
        if self.left < 0:
            raise self.intake.fault(
                f"document {self.id[:40]} has more than {limits.MENTIONS:,} mentions and "
                f"{limits.RELATIONS:,} relations",
                line=line,
                remedy="Split it; docs/input-limits.md lists the limits",
            )
        columns = text.split("\t", 3)
        self._check_id(columns[0].strip(), line)
        if len(columns) < 4:
            raise self.intake.fault(
                f"document {self.id}: a line of {len(columns)} columns", line=line, remedy=_SHAPE
            )
        start, end, rest = columns[1:]
        # Python does not turn thousands of digits into a number, and no position has them.
        is_short = len(start) <= _LONGEST_POSITION and len(end) <= _LONGEST_POSITION
        if is_short and start.isdecimal() and end.isdecimal() and "\t" in rest:
            self._mention(int(start), int(end), rest, line)
        elif columns[3].count("\t") > 1 and columns[3].rstrip("\t").count("\t") > 1:
            raise self.intake.fault(
                f"document {self.id}: '{columns[1][:40]}' and '{columns[2][:40]}' are no positions",
                line=line,
                remedy="A mention line is: id, start, end, text, type, concept id, with whole "
                "numbers as start and end",
            )
        elif columns[3].startswith(SUBJECT):
            self.relations.add_subject(columns[1:], line)
        else:
            parts = [*columns[1:3], *columns[3].rstrip("\t").split("\t")]
            self.relations.add(parts, line)

    def _mention(self, start: int, end: int, rest: str, line: int) -> None:
        # Cut short: what is longer is refused, and must not be copied once a line before that.
        own = self.text[start : min(end, start + limits.MENTION_LENGTH + 1)]
        if rest.startswith(f"{own}\t"):
            # The text may itself hold tabs, so it is not split off.
            text, columns = own, rest[len(own) + 1 :].split("\t")
        else:
            text, *columns = rest.split("\t")
        kind = self.intake.entity_type(columns[0], line)
        if kind is None:
            return
        if text != own and text in self.intake.schema.entity_types:
            # BioCreative VIII's validation file replaced a mention's own text by its type's name.
            self.intake.report.notes["mention texts that were a type's name, mended"] += 1
            text = own
        concept_ids, source_id = read_ids(columns[1]) if len(columns) > 1 else ((), None)
        if len(columns) > 2 and columns[2]:
            self.intake.report.notes["seventh columns of mention lines left out"] += 1
        self.mention_lines[len(self.mentions)] = line
        self.mentions.append(Mention(start, end, text, kind, concept_ids, (), source_id))

    def _check_id(self, doc_id: str, line: int) -> None:
        if doc_id != self.id:
            raise self.intake.fault(
                f"a line of '{doc_id[:40]}' inside document {self.id}", line=line, remedy=_SHAPE
            )

    def documents(self) -> Iterator[Document]:
        """The finished document, checked; none where it is bad and faults are counted."""
        if len(self.passages) == 1:
            self.passages.append(Passage(len(self.text) + 1, "", "abstract"))
        document = Document(
            self.id, tuple(self.passages), tuple(self.mentions), self.relations.relations()
        )
        try:
            self.intake.accept(document, self.first_line, self.mention_lines)
        except DataError as error:
            self.intake.skip(error)
        else:
            yield document


_LONGEST_POSITION = 12
_BREAKS = dict.fromkeys((10, 13), " ")


class PubTatorWriter(TextWriter):
    """Writes BioRED's dialect: a line per relation with ``Novel`` or ``No``.

    A relation without novelty is written without that column, as PubTator 3
    does. Of passages only title and abstract exist here: further ones follow
    in the abstract, at their offsets.

    Args:
        subjects: add a direction line per relation with a known subject.
        scores: write ``type|score`` and ``novelty|score``.
    """

    def __init__(self, *args: Any, subjects: bool = False, scores: bool = False) -> None:
        super().__init__(*args)
        self.subjects = subjects
        self.scores = scores

    def encode(self, document: Document) -> str:
        """The document's lines and the blank one after it."""
        doc_id = document.id
        if not doc_id or any(char in doc_id for char in "|\t\n\r") or doc_id != doc_id.strip():
            raise self.fault(
                f"document id '{doc_id}' cannot stand in PubTator text",
                remedy="Use ids without blanks around them, tabs, line breaks and '|'",
            )
        title, abstract = self._halves(document)
        lines = [f"{doc_id}|t|{title}", f"{doc_id}|a|{abstract}"]
        for mention in document.mentions:
            text = mention.text
            if mention.spans:
                self.lose("parts of discontinuous mentions")
                text = document.text[mention.start : mention.end]
            if "\n" in text or "\r" in text:
                text = text.translate(_BREAKS)
            if not survives(mention.concept_ids):
                self.lose("concept ids that are read back in another form")
            identifier = written_id(mention.concept_ids, mention.source_id)
            self._column(identifier or "-", doc_id)
            lines.append(
                f"{doc_id}\t{mention.start}\t{mention.end}\t{text}\t{mention.type}\t{identifier}"
            )
        lines += [self._relation(doc_id, relation) for relation in document.relations]
        if self.subjects:
            lines += self._subjects(document)
        if document.infons:
            self.lose("document infons", len(document.infons))
        lines.append("\n")
        return "\n".join(lines)

    def _column(self, value: str, document_id: str) -> str:
        """An id that must not break its line."""
        if not value or "\t" in value or "\n" in value or "\r" in value:
            raise self.fault(
                f"document {document_id}: the id '{value}' cannot stand in PubTator text",
                remedy="Use ids without tabs and line breaks",
            )
        return value

    def _relation(self, doc_id: str, relation: Relation) -> str:
        kind, novelty = relation.type, relation.novelty
        if self.scores:
            if relation.score is not None:
                kind = f"{kind}|{float(relation.score)!r}"
            if relation.novelty_score is not None:
                if novelty is None:
                    self.lose("novelty scores without novelty")
                else:
                    novelty = f"{novelty}|{float(relation.novelty_score)!r}"
        elif relation.score is not None or relation.novelty_score is not None:
            self.lose("relation scores")
        if relation.subject is not None and not self.subjects:
            self.lose("relation subjects")
        if relation.evidence:
            self.lose("relation evidence")
        first, second = (self._column(name, doc_id) for name in (relation.id1, relation.id2))
        line = f"{doc_id}\t{kind}\t{first}\t{second}"
        return line if novelty is None else f"{line}\t{novelty}"

    def _subjects(self, document: Document) -> Iterator[str]:
        """Direction lines. They name pairs, so relations of one pair share a subject."""
        subjects: dict[frozenset[str], str | None] = {}
        for relation in document.relations:
            pair = frozenset((relation.id1, relation.id2))
            if relation.subject is not None and relation.subject not in pair:
                self.lose("relation subjects outside their pair")
                continue
            known = subjects.setdefault(pair, relation.subject)
            if known != relation.subject:
                self.lose("relation subjects that differ within a pair")
            if known is None:
                subjects[pair] = relation.subject
        written = set()
        for relation in document.relations:
            pair = frozenset((relation.id1, relation.id2))
            subject = subjects.get(pair)
            if subject is not None and pair not in written:
                written.add(pair)
                yield f"{document.id}\t{relation.id1}\t{relation.id2}\t{SUBJECT}{subject}"

    def _halves(self, document: Document) -> tuple[str, str]:
        """Title and abstract such that every offset keeps its meaning."""
        passages = document.passages
        if any(passage.infons for passage in passages):
            self.lose("passage infons", sum(len(passage.infons) for passage in passages))
        if [passage.type for passage in passages] not in (["title", "abstract"], ["title"]):
            self.lose("passages beyond title and abstract")
        text = document.text
        if "\n" in text or "\r" in text:
            self.lose("line breaks in the text (written as blanks)")
            text = text.translate(_BREAKS)
        if len(passages) > 1 and passages[1].offset > passages[0].end:
            border = passages[0].end
            return text[:border], text[border + 1 :]
        return text, ""
