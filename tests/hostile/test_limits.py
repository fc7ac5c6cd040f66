"""Every limit of docs/input-limits.md holds, in every reader that could exceed it."""

from __future__ import annotations

import gzip
import io
import json

import pytest

from command_line import run_command
from novelink import limits
from novelink.document import Document, Mention, Passage, Relation, check_document
from novelink.errors import LONGEST_LINE, DataError, one_line
from novelink.formats import ReadReport, read, write
from novelink.pairs import candidate_pairs, count_pairs
from novelink.schema import CHEMICAL, DISEASE, GENE, SPECIES

FAR = 10**12
"""An offset that would ask for a terabyte of blanks."""


def documents(data, name, **options):
    if isinstance(data, str):
        data = data.encode()
    return list(read(io.BytesIO(data), name, **options))


def bioc(passages, doc_id="1"):
    return json.dumps({"documents": [{"id": doc_id, "passages": passages}]})


def bioc_xml(inner):
    return f"<collection><document><id>1</id>{inner}</document></collection>"


def annotation(**changes):
    place = {"offset": 0, "length": 1}
    return {"id": "1", "infons": {"type": "Gene"}, "locations": [place], "text": "A"} | changes


FAR_AWAY = {
    "jsonl passage": ("jsonl", json.dumps({"id": "1", "passages": [{"offset": FAR, "text": "A"}]})),
    "bioc-json passage": ("bioc-json", bioc([{"offset": FAR, "text": "A"}])),
    "bioc-json passage before a mention": (
        "bioc-json",
        bioc([{"offset": FAR, "text": "A", "annotations": [annotation()]}]),
    ),
    "bioc-json sentence": (
        "bioc-json",
        bioc([{"offset": 0, "sentences": [{"offset": FAR, "text": "A"}]}]),
    ),
    "bioc-xml passage": (
        "bioc-xml",
        bioc_xml(f"<passage><offset>{FAR}</offset><text>A</text></passage>"),
    ),
    "bioc-xml sentence": (
        "bioc-xml",
        bioc_xml(
            "<passage><offset>0</offset><sentence>"
            f"<offset>{FAR}</offset><text>A</text></sentence></passage>"
        ),
    ),
}


@pytest.mark.parametrize("case", FAR_AWAY.values(), ids=FAR_AWAY)
def test_a_gap_as_long_as_the_memory_is_refused_before_it_is_filled(case):
    name, data = case
    with pytest.raises(DataError, match=r"10,000,000"):
        documents(data, name)


@pytest.mark.parametrize("digits", [5_000, 20])
def test_positions_of_any_number_of_digits_are_a_fault_of_the_line(digits):
    """Python itself refuses to turn more than 4,300 digits into a number."""
    line = f"1|t|A\n1|a|\n1\t0\t{'9' * digits}\tA\tGene\t1\n"
    with pytest.raises(DataError, match="are no positions"):
        documents(line, "pubtator")


def test_a_mention_may_not_span_a_whole_book(monkeypatch):
    text = "A" * 3_000
    with pytest.raises(DataError, match="longer than 2,000 characters"):
        documents(f"1|t|{text}\n1|a|\n1\t0\t3000\t{text}\tGene\t1\n", "pubtator")
    whole = annotation(locations=[{"offset": 0, "length": 3_000}], text=None)
    with pytest.raises(DataError, match="more than 2,000 characters"):
        documents(bioc([{"offset": 0, "text": text, "annotations": [whole]}]), "bioc-json")


def test_many_long_mentions_are_refused_before_they_are_copied():
    """A file of some megabytes asked for 25 GB of copies here."""
    text = "A" * 1_000_000
    long = annotation(locations=[{"offset": 0, "length": 1_000_000}], text=None)
    data = bioc([{"offset": 0, "text": text, "annotations": [long] * 25_000}])
    with pytest.raises(DataError, match="more than 2,000 characters"):
        documents(data, "bioc-json")


def test_parts_of_a_mention_are_counted():
    parts = [[place, place + 1] for place in range(0, 400, 2)]
    mention = {
        "start": 0, "end": 399, "type": GENE, "spans": parts,
        "text": " ".join("A" for _ in parts), "ids": ["1"],
    }  # fmt: skip
    data = {"id": "1", "title": "A" * 400, "mentions": [mention]}
    with pytest.raises(DataError, match="has 200 parts, 100 at most"):
        documents(json.dumps(data), "jsonl")


COUNTED = {
    "pubtator": "1|t|A\n1|a|\n" + "1\t0\t1\tA\tGene\t1\n" * 30,
    "jsonl": json.dumps(
        {
            "id": "1",
            "title": "A",
            "mentions": [{"start": 0, "end": 1, "text": "A", "type": GENE}] * 30,
        }
    ),
    "bioc-json": bioc([{"offset": 0, "text": "A", "annotations": [annotation()] * 30}]),
    "bioc-xml": bioc_xml(
        "<passage><offset>0</offset><text>A</text>"
        + '<annotation id="1"><infon key="type">Gene</infon><location offset="0" length="1"/>'
        "<text>A</text></annotation>" * 30 + "</passage>"
    ),
}


@pytest.mark.parametrize("name", COUNTED)
def test_mentions_of_a_document_are_counted(name, monkeypatch):
    assert len(documents(COUNTED[name], name)[0].mentions) == 30
    monkeypatch.setattr(limits, "MENTIONS", 20)
    monkeypatch.setattr(limits, "RELATIONS", 20)
    with pytest.raises(DataError, match=r"30 mentions, and 20 is the most"):
        documents(COUNTED[name], name)


def test_pubtator_lines_are_counted_while_they_are_read(monkeypatch):
    monkeypatch.setattr(limits, "MENTIONS", 5)
    monkeypatch.setattr(limits, "RELATIONS", 5)
    with pytest.raises(DataError, match=r":13: .* more than 5 mentions and 5 relations"):
        documents(COUNTED["pubtator"], "pubtator")


def test_relations_and_the_pairs_they_state_are_counted(monkeypatch):
    one = Document.from_text("1", "A", relations=[Relation("a", "b", "Bind")] * 3)
    check_document(one)
    many = ",".join(map(str, range(2_000)))
    with pytest.raises(DataError, match="4,000,000 pairs of ids"):
        check_document(Document.from_text("1", "A", relations=[Relation(many, many, "Bind")]))
    monkeypatch.setattr(limits, "RELATIONS", 2)
    with pytest.raises(DataError, match="has 3 relations, and 2 is the most"):
        check_document(one)


def test_ids_of_documents_have_a_length():
    with pytest.raises(DataError, match="1,001 characters in its id"):
        check_document(Document("x" * 1_001, (Passage(0, "A"),)))


def test_lenient_counts_what_exceeds_a_limit_and_goes_on():
    report = ReadReport()
    lines = [{"id": "1", "passages": [{"offset": FAR, "text": "A"}]}, {"id": "2", "title": "A"}]
    found = documents("\n".join(map(json.dumps, lines)), "jsonl", lenient=True, report=report)
    assert [document.id for document in found] == ["2"]
    assert report.skipped == 1
    assert "1,000,000,000,001 characters of text" in report.reasons[0]


@pytest.mark.parametrize(
    ("name", "begin"),
    [
        ("pubtator", b"1|t|"),
        ("jsonl", b'{"id": "'),
        ("text", b"A "),
        ("medline", b"PMID- 1\nTI  - "),
        ("bioc-json", b'{"documents": [{"id": "'),
        ("bioc-xml", b"<collection><document><id>"),
        ("bioc-xml", b"<collection><infon>"),
        ("pubmed-xml", b"<PubmedArticleSet><PubmedArticle><A>"),
        ("pubmed-xml", b"<PubmedArticleSet></PubmedArticleSet><DeleteCitation>"),
        ("ids", b"1"),
        ("text-tsv", b"id\ttitle\n1\t"),
    ],
)
def test_what_never_ends_is_refused_within_bounds(name, begin, monkeypatch):
    """A missing line end, quotation mark or end tag must not draw the whole file into memory."""
    monkeypatch.setattr(limits, "DOCUMENT_BYTES", 200_000)
    monkeypatch.setattr("novelink.formats.json_stream.LONGEST", 200_000)
    taken = 0

    class Endless(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            nonlocal taken
            data = (begin if not taken else b"") + b"x" * len(buffer)
            buffer[:] = data[: len(buffer)]
            taken += len(buffer)
            # Where nothing stopped the reader, this does.
            return len(buffer) if taken < 8_000_000 else 0

    with pytest.raises(DataError, match=r"more than (200,000|10,000,000) "):
        list(read(io.BufferedReader(Endless(), 65_536), name))
    assert taken < 2_000_000


def test_text_without_blank_lines_is_one_document_of_bounded_length(monkeypatch):
    monkeypatch.setattr(limits, "TEXT", 5_000)
    for name in ("text", "text-whole"):
        with pytest.raises(DataError, match="a text of more than 5,000 characters"):
            documents("A line.\n" * 2_000, name)
    with pytest.raises(DataError, match="a record of more than 5,000 characters"):
        documents("PMID- 1\nTI  - A\n" + "      more\n" * 2_000, "medline")


def test_keys_around_the_documents_may_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr("novelink.formats.json_stream.LONGEST", 10_000)
    keys = ",".join(f'"k{number}":{number}' for number in range(5_000))
    with pytest.raises(DataError, match="a document of more than 10,000 characters"):
        documents("{" + keys + ',"documents":[]}', "bioc-json")


DEEP = 10_000


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("jsonl", '{"id": "1", "title": "A", "infons": ' + "[" * DEEP + "]" * DEEP + "}"),
        ("bioc-json", '{"documents": [{"id": "1", "passages": ' + "[" * DEEP + "]" * DEEP + "}]}"),
        (
            "bioc-json",
            '{"documents": [{"id": "1", "passages": [], "infons": {"x": '
            + "[" * 200 + "]" * 200 + "}}]}",
        ),
        ("bioc-xml", bioc_xml(f"<passage>{'<sentence>' * DEEP}{'</sentence>' * DEEP}</passage>")),
        ("bioc-xml", bioc_xml("<a>" * DEEP + "</a>" * DEEP)),
    ],
)  # fmt: skip
def test_nesting_has_an_end(name, data):
    with pytest.raises(DataError, match=r"nested|recursion"):
        documents(data, name)


def test_entities_that_cannot_be_related_cost_no_pairs():
    """A hundred thousand species are five thousand million pairs that no model is asked about."""
    text = " ".join(f"s{number}" for number in range(20_000))
    mentions, place = [], 0
    for word in text.split():
        mentions.append(Mention(place, place + len(word), word, SPECIES, (word,)))
        place += len(word) + 1
    document = Document.from_text("1", text).with_mentions(mentions)
    assert candidate_pairs(document) == []


def test_candidate_pairs_of_a_document_have_a_limit(monkeypatch):
    kinds = (GENE, DISEASE, CHEMICAL, SPECIES)
    mentions = [Mention(0, 1, "A", kinds[number % 4], (str(number),)) for number in range(20)]
    document = Document.from_text("7", "A").with_mentions(mentions)
    count = count_pairs(document)
    assert len(candidate_pairs(document)) == count
    monkeypatch.setattr(limits, "CANDIDATE_PAIRS", count)
    candidate_pairs(document)
    monkeypatch.setattr(limits, "CANDIDATE_PAIRS", count - 1)
    with pytest.raises(DataError, match=f"document 7 has {count} pairs"):
        candidate_pairs(document)


def test_lenient_leaves_out_what_has_too_many_pairs(monkeypatch, tmp_path, tiny_bundle, capsys):
    def document(name, count):
        mentions = [Mention(0, 1, "A", GENE, (str(number),)) for number in range(count)]
        return Document.from_text(name, "A").with_mentions(mentions)

    monkeypatch.setattr(limits, "CANDIDATE_PAIRS", 10)
    write([document("1", 3), document("2", 6), document("3", 2)], tmp_path / "in.jsonl")
    given = ("extract", tmp_path / "in.jsonl", "-m", tiny_bundle, "-o", tmp_path / "out.jsonl")
    code, _, err = run_command(capsys, *given)
    assert code == 1
    assert "document 2 has 15 pairs" in err
    assert not (tmp_path / "out.jsonl").exists()
    code, _, err = run_command(capsys, *given, "--lenient")
    assert code == 0, err
    assert "novelink: 1 document skipped:\n" in err
    assert "document 2 has 15 pairs" in err
    assert [one.id for one in read(tmp_path / "out.jsonl")] == ["1", "3"]


@pytest.mark.parametrize("name", ["bomb.txt.gz", "bomb.jsonl"])
def test_a_decompression_bomb_is_stopped_by_every_reader(name, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "BOMB_FREE_BYTES", 1 << 20)
    bomb = gzip.compress((b" " * 999 + b"\n") * 8_000, 9)
    assert len(bomb) * 200 < 7_000_000
    (tmp_path / name).write_bytes(bomb)
    with pytest.raises(DataError, match="decompression bomb"):
        list(read(tmp_path / name, "text"))


def test_an_error_is_one_printable_line_whatever_it_quotes(tmp_path):
    name = "a\x1b[31m\nb\ud800" + "x" * 10_000
    with pytest.raises(DataError) as caught:
        documents(json.dumps({"id": "1", "title": "A", name: 1}), "jsonl")
    text = str(caught.value)
    assert text.isprintable()
    assert r"a\x1b[31m\nb\ud800" in text
    assert len(text) <= LONGEST_LINE
    assert one_line("Größe α → 😀 ‘x’") == "Größe α → 😀 ‘x’"


@pytest.mark.parametrize("place", ["id", "infon", "concept id", "relation"])
def test_half_a_surrogate_pair_anywhere_is_refused_before_writing_fails(place):
    half = "\\ud800"
    mention = f'{{"start": 0, "end": 1, "text": "A", "type": "{GENE}", "ids": ["%s"]}}'
    relation = '{"id1": "%s", "id2": "b", "type": "Bind"}'
    data = (
        '{"id": "%s", "title": "A", "infons": [["k", "%s"]], "mentions": [%s], "relations": [%s]}'
    )
    parts = {
        name: half if name == place else "x" for name in ("id", "infon", "concept id", "relation")
    }
    data = data % (
        parts["id"], parts["infon"], mention % parts["concept id"], relation % parts["relation"],
    )  # fmt: skip
    with pytest.raises(DataError, match="half a surrogate pair"):
        documents(data, "jsonl")
    report = ReadReport()
    good = '{"id": "2", "title": "B"}'
    found = documents(f"{data}\n{good}", "jsonl", lenient=True, report=report)
    write(found, io.BytesIO(), "jsonl")
    assert report.skipped == 1
