"""Files become the same blocks whenever they are read; no document is lost between pieces."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from novelink.formats import read
from novelink.scale import splitting
from novelink.scale.blocks import Block, Cutting, FileEnd, blocks_of
from novelink.scale.corpus import find_files
from novelink.scale.plan import FilePlan, Skipped
from novelink.schema import BIORED

FORMATS = ("bioc-xml", "pubtator", "jsonl", "bioc-json")


def cut(path, documents=5, **others):
    (file,) = find_files((str(path),)).files
    *blocks, end = blocks_of(file, Cutting(BIORED, documents=documents, **others))
    assert isinstance(end, FileEnd)
    assert end.blocks == len(blocks)
    return blocks, end


def documents_in(blocks):
    """The documents of blocks, each piece read as a file of its own."""
    import io

    return [
        document
        for block in blocks
        for chunk in block.chunks
        for piece in chunk.pieces
        for document in read(
            io.BytesIO(chunk.frame.head + piece.data + chunk.frame.tail), chunk.frame.format
        )
    ]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("packed", [False, True])
def test_pieces_hold_the_documents_of_the_file(tools, tmp_path, name, packed):
    documents = tools.numbered(23)
    data = tools.as_bytes(documents, name)
    path = tmp_path / f"corpus.{name.replace('bioc-', '')}{'.gz' if packed else ''}"
    path.write_bytes(gzip.compress(data) if packed else data)
    blocks, end = cut(path)
    assert [block.documents for block in blocks] == [5, 5, 5, 5, 3]
    assert not end.faults
    assert documents_in(blocks) == list(read(path))
    assert sum(block.weight for block in blocks) + end.weight == path.stat().st_size


@hypothesis_settings(max_examples=30, deadline=None)
@given(
    counts=st.lists(st.integers(0, 7), min_size=1, max_size=6),
    size=st.integers(1, 9),
    shards=st.integers(1, 5),
)
def test_blocks_cover_an_archive_once_whatever_their_size_and_shards_share_it_out(
    tools, tmp_path_factory, counts, size, shards
):
    path = tmp_path_factory.mktemp("any") / "x.tar"
    members, first = {}, 0
    for number, count in enumerate(counts):
        members[f"{number}.xml"] = tools.as_bytes(tools.numbered(count, first))
        first += count
    tools.pack(path, members)
    blocks, _end = cut(path, size)
    assert [len(block.spans) > 0 for block in blocks] == [True] * len(blocks)
    assert [document.id for document in documents_in(blocks)] == [
        str(1000 + number) for number in range(first)
    ]
    assert [block.digest for block in cut(path, size)[0]] == [block.digest for block in blocks]
    (file,) = find_files((str(path),)).files
    cutting = Cutting(BIORED, documents=size)
    shares = [list(FilePlan(file, cutting, (one + 1, shards)).pending()) for one in range(shards)]
    taken = sorted(item.number for share in shares for item in share if isinstance(item, Block))
    assert taken == list(range(len(blocks)))
    for share in shares:
        assert all(isinstance(item, Block | Skipped | FileEnd) for item in share)
        assert sum(item.weight for item in share) == file.size


def test_a_digest_tells_any_change(tools, tmp_path):
    path = tmp_path / "a.xml"
    data = tools.as_bytes(tools.numbered(5))
    path.write_bytes(data)
    (before,), _ = cut(path)
    path.write_bytes(data.replace(b"gutter", b"Gutter", 1))
    (after,), _ = cut(path)
    assert before.digest != after.digest


def test_end_tags_in_comments_and_cdata_do_not_end_a_document(tools, tmp_path):
    data = tools.as_bytes(tools.numbered(2)).decode()
    data = data.replace("<passage>", "<!-- </document> --><passage>", 1)
    data = data.replace("<text>Nothing", "<text><![CDATA[</document>]]>Nothing", 1)
    path = tmp_path / "a.xml"
    path.write_text(data, encoding="utf-8")
    blocks, end = cut(path)
    assert [block.documents for block in blocks] == [2]
    assert [document.id for document in documents_in(blocks)] == ["1000", "1001"]
    assert not end.faults


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data[: len(data) // 2], "cut off"),
        (lambda data: data.replace(b"</collection>", b""), "cut off"),
        (lambda data: data.replace(b"</collection>", b"<p/></collection>"), "does not end with"),
        (lambda data: b"<article>none of ours</article>", "holds no <document>"),
        (lambda data: b"", "empty"),
        (lambda data: b"<html><title>Busy</title></html>", "HTML page titled 'Busy'"),
    ],
)
def test_a_file_that_breaks_off_says_so_and_keeps_what_came_before(tools, tmp_path, change, reason):
    data = change(tools.as_bytes(tools.numbered(12)))
    path = tmp_path / "a.xml"
    path.write_bytes(data)
    blocks, end = cut(path, 4)
    (fault,) = end.faults
    assert reason in fault.reason
    found = [document.id for document in documents_in(blocks)]
    assert found == [str(1000 + number) for number in range(len(found))]
    assert len(found) == data.count(b"</document>")
    if found and "cut off" in reason:
        assert [block.provisional for block in blocks][-1] or len(found) == 12


def test_one_bad_member_costs_no_other(tools, tmp_path):
    good = tools.as_bytes(tools.numbered(3))
    path = tools.pack(
        tmp_path / "x.tar.gz",
        {"a.xml": good, "b.xml": good[:300], "README": b"About these files.\n", "c.xml": good},
    )
    blocks, end = cut(path)
    assert sum(block.documents for block in blocks) == 6
    assert [(fault.member, "cut off" in fault.reason) for fault in end.faults] == [("b.xml", True)]
    assert end.notes == {"files of no format with documents, left out": 1}


def test_a_document_beyond_all_bounds_is_refused(tools, small_documents, tmp_path, monkeypatch):
    monkeypatch.setattr(splitting, "MAX_DOCUMENT_BYTES", 100_000)
    path = tmp_path / "a.xml"
    long = b"<document><id>1</id>" + b" " * 500_000
    path.write_bytes(
        tools.as_bytes(small_documents[:1]).replace(b"</collection>", long + b"</collection>")
    )
    blocks, end = cut(path)
    assert sum(block.documents for block in blocks) == 1
    assert "a document of more than" in end.faults[0].reason


def test_a_json_fault_in_one_document_is_a_piece_of_its_own(tools, tmp_path):
    data = tools.as_bytes(tools.numbered(4), "bioc-json")
    path = tmp_path / "a.json"
    path.write_bytes(data.replace(b'"offset": 0', b'"offset": "zero"', 1))
    (block,), end = cut(path)
    assert not end.faults
    faults = [piece.fault for chunk in block.chunks for piece in chunk.pieces]
    assert [fault is not None for fault in faults] == [True, False, False, False]
