"""A document as HTML for notebooks: coloured entities and a relation table.

Notebooks clean the HTML they show, so everything is in ``style`` attributes:
no script, no style sheet, no network.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from novelink.exports.identifiers import identify, identify_document
from novelink.exports.rows import arrow, evidence_text, relation_ends
from novelink.schema import BIORED, short_name
from novelink.view.colours import PALETTE, Colour, colour_index
from novelink.view.segments import segments

if TYPE_CHECKING:
    from novelink.document import Document, Mention, Passage, Relation
    from novelink.exports.rows import End

_INK = "#1b1b1b"
_CELL = f"padding:2px 10px 2px 0;text-align:left;vertical-align:top;color:{_INK}"
SHOWN_CHARACTERS = 20_000
"""Longer texts are cut in a notebook, and say so; :func:`novelink.view.page` shows all."""


def document_html(document: Document) -> str:
    """A document as a fragment of HTML.

    Args:
        document: whose text, mentions and relations to show.

    Returns:
        One ``<div>``. All text of the document is escaped.
    """
    shown, left = [], SHOWN_CHARACTERS
    for passage in document.passages:
        shown.append(_passage(document, passage, left))
        left -= len(passage.text)
    cut = f"<p><em>… {-left:,} more characters not shown here</em></p>" if left < 0 else ""
    return (
        f'<div style="background:#fff;color:{_INK};padding:12px 16px;border:1px solid #ccc;'
        'border-radius:6px;max-width:60em;line-height:1.7;font-family:sans-serif">'
        f'<div style="font-size:85%;color:#555">{_document_name(document)}</div>'
        f"{''.join(shown)}{cut}{_legend(document)}{_table(document)}</div>"
    )


def _document_name(document: Document) -> str:
    found = identify_document(document.id)
    if found.url is None:
        return escape(document.id)
    return f'<a href="{escape(found.url)}">{escape(found.database)} {escape(found.local)}</a>'


def _passage(document: Document, passage: Passage, limit: int) -> str:
    if limit <= 0 or not passage.text:
        return ""
    text, parts = document.text, []
    end = min(passage.end, passage.offset + limit)
    for segment in segments(document.mentions, passage.offset, end):
        content = escape(text[segment.start : segment.end])
        if segment.mentions:
            over = [document.mentions[index] for index in segment.mentions]
            content = _marked(content, over)
        parts.append(content)
    weight = "bold" if passage.type == "title" else "normal"
    return f'<p dir="auto" style="margin:6px 0;font-weight:{weight}">{"".join(parts)}</p>'


def _marked(content: str, over: list[Mention]) -> str:
    """The shortest mention colours the ground, the others draw bars below."""
    bars = "".join(
        f",0 {2 + 3 * depth}px 0 {_colour(mention.type).line}"
        for depth, mention in enumerate(reversed(over[:-1]), start=1)
    )
    tips = "; ".join(
        f"{mention.text}: {short_name(mention.type)} {', '.join(mention.concept_ids) or '(no id)'}"
        for mention in reversed(over)
    )
    top = _colour(over[-1].type)
    return (
        f'<span title="{escape(tips)}" style="background:{top.light};color:{_INK};'
        f'border-radius:3px;box-shadow:0 2px 0 {top.line}{bars}">{content}</span>'
    )


def _colour(entity_type: str) -> Colour:
    return PALETTE[colour_index(entity_type, BIORED.entity_types)]


def _legend(document: Document) -> str:
    types = dict.fromkeys(mention.type for mention in document.mentions)
    items = (
        f'<span style="background:{_colour(name).light};color:{_INK};border-radius:3px;'
        f'box-shadow:0 2px 0 {_colour(name).line};padding:0 6px;margin-right:8px">'
        f"{escape(short_name(name))}</span>"
        for name in types
    )
    return f'<p style="font-size:85%">{"".join(items)}</p>' if types else ""


def _table(document: Document) -> str:
    if not document.relations:
        return ""
    rows = []
    for relation, first, second in relation_ends(document):
        score = "" if relation.score is None else f"{relation.score:.2f}"
        novelty = {"Novel": "novel", "No": "known"}.get(relation.novelty or "", "")
        kind = escape(_kind(relation))
        # Several sentences would fill the notebook; the page shows them all.
        sentence = escape(next(iter(evidence_text(document, relation)), ""))
        cells = (_end(first), kind, _end(second), novelty, score, sentence)
        rows.append(
            "<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in cells) + "</tr>"
        )
    heads = ("Entity", "Relation", "Entity", "Novelty", "Score", "Evidence")
    head = "".join(f'<th scope="col" style="{_CELL}">{name}</th>' for name in heads)
    return (
        '<table style="border-collapse:collapse;font-size:90%;background:#fff">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _kind(relation: Relation) -> str:
    """The type, with an arrow at the side of the entity that is acted on."""
    words, points = relation.type.replace("_", " "), arrow(relation)
    return f"{points} {words}" if points == "←" else f"{words} {points}".rstrip()


def _end(end: End) -> str:
    found = identify(end.type, end.id)
    name = escape(end.name)
    if found.url is None:
        return f'<span title="{escape(end.id)}">{name}</span>'
    tip = escape(f"{found.database} {found.local}")
    return f'<a href="{escape(found.url)}" title="{tip}">{name}</a>'
