"""PubMed XML: E-utilities' ``efetch`` answers and the yearly baseline files.

Articles are cut out of the stream by their tags and parsed one by one, so that
memory stays flat and one broken article costs no other. An abstract's labelled
parts become one text, ``BACKGROUND: … METHODS: …``, as PubMed and PubTator show
it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, ParseError, fromstring

from novelink import limits
from novelink.document import Document
from novelink.errors import DataError
from novelink.formats.text_lines import one_line, split_title
from novelink.formats.unpacking import CutOffError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from novelink.formats.intake import Intake
    from novelink.formats.source import Source

_BEGINNING = re.compile(rb"<(PubmedArticle|PubmedBookArticle)[\s>]")
_LONGEST_TAG = 24  # of a beginning that may be cut by the end of a chunk
_ROOT_END = re.compile(rb"</Pubmed(?:Book)?ArticleSet\s*>|<Pubmed(?:Book)?ArticleSet[^<>]*/>")
_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([\w-]+)")
_DELETED = (b"<DeleteCitation>", b"</DeleteCitation>")
# MathML's prefix is declared by PubMed's DTD, which is never fetched.
_WRAPPED = b'<article xmlns:mml="http://www.w3.org/1998/Math/MathML">%b</article>'


def sniff(prefix: bytes) -> bool:
    """Whether content begins like PubMed XML."""
    return (
        re.search(rb"<!DOCTYPE\s+Pubmed|<Pubmed(?:Book)?Article(?:Set)?[\s>/]", prefix) is not None
    )


def read_pubmed_xml(source: Source, intake: Intake) -> Iterator[Document]:
    """Documents of PubMed XML, one at a time, without mentions.

    Raises:
        DataError: an article has no PMID, or neither title nor abstract, or is
            broken; under ``lenient`` it is counted and left out.
    """
    encoding = _ENCODING.match(source.prefix.lstrip(b"\xef\xbb\xbf"))
    if encoding and encoding[1].lower() not in {b"utf-8", b"us-ascii", b"ascii"}:
        raise intake.fault(
            f"the XML is in {encoding[1].decode()}",
            line=1,
            remedy="PubMed's own files are in UTF-8; convert it",
        )
    try:
        for raw, line in _articles(source, intake):
            try:
                document = _document(raw, line, intake)
            except DataError as error:
                intake.skip(error)
            else:
                yield document
    except CutOffError as error:
        intake.skip(error)


def _articles(source: Source, intake: Intake) -> Iterator[tuple[bytes, int]]:
    """The bytes of each article, and the line on which it begins."""
    rest = b""
    line = 1
    closed = False
    searched = 0  # up to here the rest holds no end of its article
    for chunk in source.chunks():
        rest += chunk
        position = 0
        while begin := _BEGINNING.search(rest, position):
            end_tag = b"</" + begin[1] + b">"
            end = rest.find(end_tag, max(begin.end(), searched))
            searched = 0
            if end < 0:
                break
            _count_deleted(rest[position : begin.start()], intake)
            line += rest.count(b"\n", position, begin.start())
            end += len(end_tag)
            yield rest[begin.start() : end], line
            line += rest.count(b"\n", begin.start(), end)
            position = end
        keep = begin.start() if begin else max(position, len(rest) - _LONGEST_TAG)
        if not begin and (tail := rest.find(_DELETED[0], position)) >= 0:
            # What follows the articles is short; it is kept whole for its counts.
            keep = tail
        stop = begin.start() if begin else len(rest)
        closed = closed or _ROOT_END.search(rest, position, stop) is not None
        line += rest.count(b"\n", position, keep)
        rest = rest[keep:]
        searched = max(0, len(rest) - _LONGEST_TAG) if begin else 0
        if len(rest) > limits.DOCUMENT_BYTES:
            raise CutOffError(
                f"an article of more than {limits.DOCUMENT_BYTES:,} bytes",
                source=source.name,
                line=line,
                remedy="An end tag may be missing; docs/input-limits.md lists the limits",
            )
    _count_deleted(rest, intake)
    if not closed:
        raise CutOffError(
            "the XML ends before its </PubmedArticleSet>",
            source=source.name,
            line=line + rest.count(b"\n"),
            remedy="Fetch the file again",
        )


def _count_deleted(between: bytes, intake: Intake) -> None:
    begin, end = _DELETED
    stop = 0
    # By hand: an expression would search to the end anew from every beginning without one.
    while (start := between.find(begin, stop)) >= 0 and (stop := between.find(end, start)) >= 0:
        intake.report.notes["papers that PubMed has withdrawn (DeleteCitation), ids only"] += (
            between.count(b"</PMID>", start, stop)
        )


def _document(raw: bytes, line: int, intake: Intake) -> Document:
    try:
        # No DOCTYPE can stand inside an element, so no entity can be declared here.
        article = fromstring(_WRAPPED % raw)[0]  # noqa: S314 (see above)
    except ParseError as error:
        raise intake.fault(
            f"the article that begins on line {line} is broken: {str(error).partition(':')[0]}",
            line=line + error.position[0] - 1,
            remedy="Fetch the file again, or use --lenient to leave the article out",
        ) from error
    name = (article.findtext("*/PMID") or "").strip()
    if not name.isdigit():
        raise intake.fault(
            f"'{name}' is no PMID" if name else "an article without a PMID",
            line=line,
            remedy="Use --lenient to leave it out",
        )
    title, abstract = _title(article), _abstract(article)
    if not title and not abstract:
        raise intake.fault(
            f"document {name} has neither title nor abstract",
            line=line,
            remedy="Use --lenient to leave it out",
        )
    if not title:
        title, abstract = split_title([abstract])
    document = Document.from_text(name, title, abstract)
    return intake.accept(replace(document, infons=_infons(article, name)), line)


def _title(article: Element) -> str:
    for path in (
        "MedlineCitation/Article/ArticleTitle",
        "MedlineCitation/Article/VernacularTitle",
        "BookDocument/ArticleTitle",
        "BookDocument/Book/BookTitle",
    ):
        found = article.find(path)
        text = "" if found is None else _text(found)
        if text:
            return text
    return ""


def _abstract(article: Element) -> str:
    parts = []
    for path in ("MedlineCitation/Article/Abstract", "BookDocument/Abstract"):
        for part in article.iterfind(f"{path}/AbstractText"):
            text, label = _text(part), (part.get("Label") or "").strip()
            if text:
                parts.append(f"{label}: {text}" if label and label != "UNLABELLED" else text)
    return " ".join(parts)


def _text(element: Element) -> str:
    return one_line("".join(element.itertext()).replace("\n", " "))


def _infons(article: Element, name: str) -> tuple[tuple[str, str], ...]:
    infons = {"pmid": name}
    journal = article.findtext("MedlineCitation/Article/Journal/Title")
    date = article.find("MedlineCitation/Article/Journal/JournalIssue/PubDate")
    year = (
        None if date is None else date.findtext("Year") or (date.findtext("MedlineDate") or "")[:4]
    )
    pmcid = next(
        (
            found.text
            for found in article.iterfind("PubmedData/ArticleIdList/ArticleId")
            if found.get("IdType") == "pmc"
        ),
        None,
    )
    for key, value in (("journal", journal), ("year", year), ("pmcid", pmcid)):
        if value and value.strip():
            infons[key] = value.strip()
    return tuple(infons.items())
