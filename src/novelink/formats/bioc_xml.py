"""BioC XML, streamed: one document in memory at a time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser
from xml.parsers import expat

from novelink import limits
from novelink.errors import DataError
from novelink.formats.bioc import build_document, document_data
from novelink.formats.unpacking import CutOffError
from novelink.formats.writer import TextWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.document import Document
    from novelink.formats.intake import Intake
    from novelink.formats.source import Source

_DOCUMENT_END = b"</document>"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def sniff(prefix: bytes) -> bool:
    """Whether content begins like BioC XML."""
    if prefix[:2] in _UTF16:
        prefix = prefix.decode("utf-16", "ignore").encode()
    return re.search(rb"<collection[\s>]|<!DOCTYPE\s+collection\b", prefix) is not None


class _PrologGuard:
    """Refuses entity declarations, which can only stand before the root element.

    The fast parser of the standard library cannot be asked not to expand them
    ("billion laughs"), so a second parser reads ahead as far as the root.
    External DTDs are never fetched by either.
    """

    def __init__(self, name: str) -> None:
        self.done = False
        self._name = name
        self._parser = expat.ParserCreate()
        self._parser.EntityDeclHandler = self._entity
        self._parser.StartElementHandler = self._root

    def _entity(self, entity: str, *_: object) -> None:
        raise DataError(
            f"the XML declares the entity '{entity}'",
            source=self._name,
            line=self._parser.CurrentLineNumber,
            remedy="Entity declarations are refused because they can fill the memory; "
            "BioC needs none, so remove the DOCTYPE's [...] part",
        )

    def _root(self, tag: str, _: object) -> None:
        if not self.done and tag != "collection":
            raise DataError(
                f"the root element is <{tag}>, not BioC's <collection>",
                source=self._name,
                line=self._parser.CurrentLineNumber,
                remedy="Give the file's format with --from",
            )
        self.done = True

    def feed(self, data: bytes) -> None:
        """Check the next bytes; faults of syntax are left to the main parser."""
        try:
            self._parser.Parse(data, False)  # noqa: FBT003 (expat takes it by position)
        except (expat.ExpatError, LookupError, ValueError):
            self.done = True


def read_bioc_xml(source: Source, intake: Intake) -> Iterator[Document]:
    """Documents of a BioC collection, one at a time.

    Raises:
        DataError: a document is wrong; under ``lenient`` it is counted and
            left out. After a fault of the XML itself nothing can be read.
    """
    try:
        for element, line in _elements(source):
            try:
                document = build_document(_document(element), line, intake)
            except DataError as error:
                intake.skip(error)
            else:
                yield document
    except CutOffError as error:
        intake.skip(error)


def _elements(source: Source) -> Iterator[tuple[Element, int]]:
    """The document elements with the lines on which they begin.

    The parser tells no lines, so it is fed up to the end of one document at a
    time and line ends are counted in what was fed.
    """
    parser: XMLPullParser[Element] = XMLPullParser(("start", "end"))
    guard = _PrologGuard(source.name)
    root: Element | None = None
    depth = 0
    size = 0  # bytes since the last document's end
    line = 1  # where the next byte to be fed stands
    first_line = 1  # where the current document begins
    piece = b""
    try:
        for piece in _pieces(source):
            if not guard.done:
                guard.feed(piece)
            parser.feed(piece)
            size += len(piece)
            for event, element in cast("Iterator[tuple[str, Element]]", parser.read_events()):
                depth += 1 if event == "start" else -1
                if depth > limits.DEPTH:
                    raise _too_much(f"elements nested more than {limits.DEPTH} deep", source)
                if root is None:
                    root = element
                elif element.tag != "document":
                    continue
                elif event == "start":
                    first_line = line + piece.count(b"\n", 0, max(piece.rfind(b"<document"), 0))
                else:
                    yield element, first_line
                    # Without this the collection keeps every document it has had.
                    root.clear()
                    size = 0
            if size > limits.DOCUMENT_BYTES:
                raise _too_much(f"a document of more than {limits.DOCUMENT_BYTES:,} bytes", source)
            line += piece.count(b"\n")
        parser.close()
    except ParseError as error:
        raise CutOffError(
            _what_broke(error, piece),
            source=source.name,
            line=error.position[0],
            remedy="Save the file as UTF-8"
            if "UTF-8" in _what_broke(error, piece)
            else "Fetch or write the file again",
        ) from error
    except CutOffError as error:
        error.line = line
        raise
    except (LookupError, ValueError) as error:
        # What Python's parser says of an encoding it does not know.
        raise CutOffError(
            f"the XML's encoding cannot be read ({error})",
            source=source.name,
            line=line,
            remedy="Save the file as UTF-8",
        ) from error


def _too_much(what: str, source: Source) -> CutOffError:
    return CutOffError(
        what,
        source=source.name,
        remedy="An end tag may be missing; docs/input-limits.md lists the limits",
    )


_NO_ELEMENT, _UNCLOSED_TOKEN = 3, 5  # expat's codes of what a cut-off file gives


def _what_broke(error: ParseError, piece: bytes) -> str:
    if error.code in {_NO_ELEMENT, _UNCLOSED_TOKEN}:
        return "the XML is cut off" if piece else "the XML is empty"
    try:
        piece.decode("utf-8")
    except UnicodeDecodeError as fault:
        if fault.reason != "unexpected end of data" and piece[:2] not in _UTF16:
            return f"not UTF-8 (byte 0x{piece[fault.start]:02x})"
    return f"the XML is broken: {str(error).partition(':')[0]}"


def _pieces(source: Source) -> Iterator[bytes]:
    """The bytes, cut after each document's end tag (in UTF-16 elsewhere, which does no harm)."""
    rest = b""
    for chunk in source.chunks():
        parts = (rest + chunk).split(_DOCUMENT_END)
        rest = parts.pop()
        for part in parts:
            yield part + _DOCUMENT_END
        if len(rest) > 1 << 20:
            # A long document is handed on in parts; only an end tag's beginning is kept.
            yield rest[: -len(_DOCUMENT_END)]
            rest = rest[-len(_DOCUMENT_END) :]
    if rest:
        yield rest


def _document(element: Element) -> dict[str, Any]:
    data = _part(element)
    data["id"] = element.findtext("id")
    data["infons"] = _pairs(element)
    data["passages"] = [_passage(child) for child in element.iterfind("passage")]
    return data


def _part(element: Element) -> dict[str, Any]:
    return {
        "annotations": [_annotation(child) for child in element.iterfind("annotation")],
        "relations": [_relation(child) for child in element.iterfind("relation")],
    }


def _pairs(element: Element) -> list[tuple[str, str]]:
    return [(child.get("key", ""), child.text or "") for child in element.iterfind("infon")]


def _text(element: Element) -> str | None:
    child = element.find("text")
    return None if child is None else child.text or ""


def _passage(element: Element) -> dict[str, Any]:
    data = _part(element)
    data["infons"] = _pairs(element)
    offset = element.find("offset")
    if offset is not None:
        data["offset"] = offset.text
    data["text"] = _text(element)
    data["sentences"] = [_passage(child) for child in element.iterfind("sentence")]
    return data


def _annotation(element: Element) -> dict[str, Any]:
    infons: dict[str, str] = {}
    locations: list[Any] = []
    data: dict[str, Any] = {"id": element.get("id"), "infons": infons, "locations": locations}
    for child in element:
        if child.tag == "infon":
            infons[child.get("key", "")] = child.text or ""
        elif child.tag == "location":
            locations.append(child.attrib)
        elif child.tag == "text":
            data["text"] = child.text or ""
    return data


def _relation(element: Element) -> dict[str, Any]:
    return {
        "id": element.get("id"),
        "infons": dict(_pairs(element)),
        "nodes": [child.attrib for child in element.iterfind("node")],
    }


# XML 1.0 cannot hold these at all.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class BioCXmlWriter(TextWriter):
    """Writes one BioC collection, an annotation or relation per line."""

    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE collection SYSTEM "BioC.dtd">\n'
        "<collection><source>NoveLink</source><date></date><key>BioC.key</key>\n"
    )
    tail = "</collection>\n"

    def encode(self, document: Document) -> str:
        """The document as XML."""
        data = document_data(document, self)
        lines = [f"<document><id>{self._escape(data['id'])}</id>{self._infons(data['infons'])}"]
        for passage in data["passages"]:
            lines.append(
                f"<passage>{self._infons(passage['infons'])}<offset>{passage['offset']}</offset>"
                f"<text>{self._escape(passage['text'])}</text>"
            )
            for annotation in passage["annotations"]:
                places = "".join(
                    f'<location offset="{place["offset"]}" length="{place["length"]}"/>'
                    for place in annotation["locations"]
                )
                lines.append(
                    f'<annotation id="{annotation["id"]}">{self._infons(annotation["infons"])}'
                    f"{places}<text>{self._escape(annotation['text'])}</text></annotation>"
                )
            lines.append("</passage>")
        lines += [
            f'<relation id="{relation["id"]}">{self._infons(relation["infons"])}</relation>'
            for relation in data["relations"]
        ]
        lines.append("</document>\n")
        return "\n".join(lines)

    def _infons(self, infons: Any) -> str:
        return "".join(
            f'<infon key="{self._escape(key, attribute=True)}">{self._escape(value)}</infon>'
            for key, value in infons
        )

    def _escape(self, text: str, *, attribute: bool = False) -> str:
        if text.isascii() and text.isalnum():
            return text
        if _ILLEGAL.search(text):
            self.lose("control characters (written as blanks)")
            text = _ILLEGAL.sub(" ", text)
        if "&" in text:
            text = text.replace("&", "&amp;")
        if "<" in text:
            text = text.replace("<", "&lt;")
        if ">" in text:
            text = text.replace(">", "&gt;")
        if "\r" in text:
            # A bare one is read back as a line feed.
            text = text.replace("\r", "&#13;")
        if attribute:
            text = text.replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
        return text
