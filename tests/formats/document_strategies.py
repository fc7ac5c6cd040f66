"""Generated documents: any the data model allows, or only what a format can hold."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from novelink.document import Document, Evidence, Mention, Passage, Relation
from novelink.schema import BIORED

IDS = (
    "6331",
    "3172",
    "D008133",
    "C535531",
    "OMIM:114480",
    "rs113488022",
    "p|SUB|V|600|E",
    "c|DEL|1314_1328|",
    "D007859|D008569",
    "CVCL_1452",
    "9606",
)

# What breaks parsers is drawn more often than chance would.
_TROUBLE = "|\t<>&\"'\\{}[],:;- \u00a0\u2028\u0085µβ\U0001f9ec"
_LINE_BREAKS = "\n\r\x0b\x0c\x1c"
_XML_ILLEGAL = "\x00\x01\x0b\x0c\x1c\ufffe\uffff"


def texts(*, line_breaks: bool, controls: bool, min_size: int = 0):
    trouble = _TROUBLE + ("\n\r" if line_breaks else "")
    if controls and line_breaks:
        trouble += _LINE_BREAKS + _XML_ILLEGAL
    plain = st.characters(
        exclude_categories=("Cs",) if controls else ("Cs", "Cc"),
        exclude_characters="\n\r\ufffe\uffff" if not (controls and line_breaks) else "",
    )
    return st.text(st.sampled_from(trouble) | plain, min_size=min_size, max_size=40)


scores = st.none() | st.floats(0, 1)


@st.composite
def mentions_in(draw, text: str, *, discontinuous: bool):
    if not text:
        return ()
    found = []
    for _ in range(draw(st.integers(0, 4))):
        parts = []
        for _ in range(draw(st.integers(1, 3)) if discontinuous else 1):
            start = draw(st.integers(0, len(text) - 1))
            parts.append((start, draw(st.integers(start + 1, len(text)))))
        concept_ids = tuple(draw(st.lists(st.sampled_from(IDS), max_size=3)))
        found.append(
            Mention(
                min(start for start, _ in parts),
                max(end for _, end in parts),
                " ".join(text[start:end] for start, end in parts),
                draw(st.sampled_from(BIORED.entity_types)),
                concept_ids,
                tuple(parts) if len(parts) > 1 else (),
            )
        )
    return tuple(sorted(found, key=lambda mention: mention.start))


@st.composite
def relations_for(draw, length: int):
    first, second = draw(st.sampled_from(IDS)), draw(st.sampled_from(IDS))
    novelty = draw(st.sampled_from([None, "Novel", "No"]))
    spans = st.tuples(st.integers(0, length), st.integers(0, length), st.floats(0, 1))
    return Relation(
        first,
        second,
        draw(st.sampled_from(BIORED.relation_types)),
        novelty,
        draw(scores),
        draw(scores) if novelty else None,
        draw(st.sampled_from([None, first, second])),
        tuple(Evidence(*span) for span in draw(st.lists(spans, max_size=2))),
    )


document_ids = st.text("abcABC019_.:/ é-", min_size=1, max_size=12).filter(
    lambda text: text == text.strip()
)


@st.composite
def full_documents(draw, *, controls: bool):
    """Any number of passages with gaps and infons, everything the model has."""
    text = texts(line_breaks=True, controls=controls)
    infons = st.dictionaries(
        texts(line_breaks=True, controls=controls, min_size=1).filter(lambda key: key != "type"),
        text,
        max_size=2,
    ).map(lambda found: tuple(found.items()))
    passages, position = [], 0
    for _ in range(draw(st.integers(1, 4))):
        offset = position + draw(st.integers(0, 3))
        kind = draw(st.sampled_from(["", "title", "abstract", "paragraph"]))
        passages.append(Passage(offset, draw(text), kind, draw(infons)))
        position = passages[-1].end
    document = Document(draw(document_ids), tuple(passages), infons=draw(infons))
    return replace(
        document,
        mentions=draw(mentions_in(document.text, discontinuous=True)),
        relations=tuple(draw(st.lists(relations_for(position), max_size=3))),
    )


@st.composite
def abstracts(draw):
    """Title and abstract, with what PubTator text can hold of mentions and relations."""
    text = texts(line_breaks=False, controls=True)
    plain = Document.from_text(draw(document_ids), draw(text), draw(text))
    relations, seen = [], set()
    for relation in draw(st.lists(relations_for(0), max_size=4)):
        # A direction line speaks of a pair, not of one of its relations.
        pair = frozenset((relation.id1, relation.id2))
        subject = None if pair in seen else relation.subject
        if pair in seen and any(
            other.subject for other in relations if frozenset((other.id1, other.id2)) == pair
        ):
            continue
        seen.add(pair)
        relations.append(replace(relation, evidence=(), subject=subject))
    return replace(
        plain,
        mentions=draw(mentions_in(plain.text, discontinuous=False)),
        relations=tuple(relations),
    )


def unique_ids(documents):
    """A list strategy of documents that differ in id."""
    return st.lists(documents, max_size=4, unique_by=lambda document: document.id)
