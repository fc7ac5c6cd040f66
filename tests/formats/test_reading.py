"""How the format is told, and that reading and writing stream."""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import lzma
import os
import sys
import threading
from pathlib import Path

import pytest

from novelink.document import Document, Mention
from novelink.errors import DataError, SettingsError
from novelink.formats import (
    FORMATS,
    Format,
    ReadReport,
    open_writer,
    read,
    read_all,
    register,
    write,
)
from novelink.schema import GENE

OWN = ("pubtator", "bioc-xml", "bioc-json", "jsonl")


def example(name="1"):
    return Document.from_text(
        name, "BRCA1 works.", "It does.", mentions=[Mention(0, 5, "BRCA1", GENE, ("672",))]
    )


def written(name, documents=None):
    stream = io.BytesIO()
    write([example()] if documents is None else documents, stream, name)
    return stream.getvalue()


@pytest.mark.parametrize("name", OWN)
def test_content_alone_tells_the_format(name):
    assert list(read(io.BytesIO(written(name)))) == [example()]


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize(
    "file_name", ["x", "x.txt", "x.json", "x.xml", "x.jsonl", "x.pubtator", "x.TSV", "x.gz"]
)
def test_content_wins_over_a_name_that_says_otherwise(name, file_name, tmp_path):
    path = tmp_path / file_name
    path.write_bytes(written(name))
    assert list(read(path)) == [example()]


@pytest.mark.parametrize("name", OWN)
def test_gzip_is_told_from_content_under_any_name(name, tmp_path, monkeypatch):
    packed = gzip.compress(written(name))
    (tmp_path / "plain-name").write_bytes(packed)
    assert list(read(tmp_path / "plain-name")) == [example()]
    assert list(read(io.BytesIO(packed))) == [example()]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(packed), encoding="utf-8"))
    assert list(read("-")) == [example()]


@pytest.mark.parametrize("name", OWN)
def test_gzip_of_several_members_is_one_file(name):
    data = written(name, [example("1"), example("2")])
    packed = gzip.compress(data[:70]) + gzip.compress(data[70:])
    assert [document.id for document in read(io.BytesIO(packed))] == ["1", "2"]


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("kind", ["text", "raw", "pipe", "BytesIO"])
def test_any_stream_will_do(name, kind):
    data = written(name)
    if kind == "text":
        assert list(read(io.StringIO(data.decode(), newline=""))) == [example()]
    elif kind == "BytesIO":
        assert list(read(io.BytesIO(data))) == [example()]
    elif kind == "raw":

        class OnlyRead:
            def __init__(self):
                self.inner = io.BytesIO(data)

            def read(self, size):
                return self.inner.read(min(size, 7))

        assert list(read(OnlyRead())) == [example()]
    else:
        out, into = os.pipe()

        def feed():
            with os.fdopen(into, "wb", buffering=0) as stream:
                for start in range(0, len(data), 11):
                    stream.write(data[start : start + 11])

        thread = threading.Thread(target=feed)
        thread.start()
        with os.fdopen(out, "rb") as stream:
            assert list(read(stream)) == [example()]
        thread.join()


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress])
def test_other_packings_are_named(pack):
    with pytest.raises(DataError, match=r"compressed by .*Unpack it first"):
        list(read(io.BytesIO(pack(b"1|t|A"))))


def test_unknown_format_names_are_settings_errors():
    with pytest.raises(SettingsError, match=r"unknown format 'bioc'\. Formats are: pubtator"):
        read("x", "bioc")
    with pytest.raises(SettingsError, match="unknown format 'bioc'"):
        write([], io.BytesIO(), "bioc")


def test_a_target_without_a_telling_name_needs_a_format(tmp_path):
    with pytest.raises(SettingsError, match="a stream does not tell the format"):
        write([], io.BytesIO())
    with pytest.raises(SettingsError, match="Name it"):
        write([], tmp_path / "x.dat")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "file_name", ["a.pubtator", "a.PubTator.gz", "a.json", "a.xml.gz", "a.jsonl"]
)
def test_the_name_of_a_target_tells_format_and_compression(file_name, tmp_path):
    path = tmp_path / file_name
    write([example()], path)
    assert path.read_bytes().startswith(b"\x1f\x8b") == file_name.endswith(".gz")
    assert list(read(path)) == [example()]


class Endless(io.RawIOBase):
    """A file without an end; counts what was taken from it."""

    def __init__(self, head, piece):
        self.parts = itertools.chain([head], (piece(number) for number in itertools.count()))
        self.rest = b""
        self.taken = 0

    def readable(self):
        return True

    def readinto(self, buffer):
        while len(self.rest) < len(buffer):
            self.rest += next(self.parts)
        buffer[:] = self.rest[: len(buffer)]
        self.rest = self.rest[len(buffer) :]
        self.taken += len(buffer)
        return len(buffer)


@pytest.mark.parametrize("name", OWN)
def test_reading_streams(name):
    """The first documents of an endless file come out after little of it was read."""
    head, first = b"", written(name, [example("0")])
    if name.startswith("bioc"):
        mark = b"<document>" if name == "bioc-xml" else b'{"id"'
        head, bar, rest = first.partition(mark)
        end = b"</document>\n" if name == "bioc-xml" else b"\n]}"
        body = bar + rest.partition(end)[0] + (end if name == "bioc-xml" else b",\n")
    else:
        body = first
    old = {"pubtator": (b"0|", b"0\t"), "bioc-xml": (b"<id>0<",)}.get(
        name, (b'"id": "0"', b'"id":"0"')
    )

    def piece(number):
        data = body
        for form in old:
            data = data.replace(form, form.replace(b"0", str(number).encode()))
        return data if name != "pubtator" else _pubtator(number)

    source = Endless(head, piece)
    found = list(itertools.islice(read(io.BufferedReader(source)), 100))
    assert [document.id for document in found] == [str(number) for number in range(100)]
    assert source.taken < 500_000


def _pubtator(number):
    return written("pubtator", [example(str(number))])


@pytest.mark.parametrize("name", OWN)
def test_writing_streams(name):
    """Each document is written before the next is asked for."""
    stream = io.BytesIO()
    sizes = []

    def documents():
        for number in range(3):
            sizes.append(len(stream.getvalue()))
            yield example(str(number))

    write(documents(), stream, name)
    assert sizes == sorted(set(sizes))


def test_a_report_counts_documents_of_all_sources():
    report = ReadReport()
    sources = [
        io.BytesIO(written("jsonl", [example("1"), example("2")])),
        io.BytesIO(written("bioc-xml", [example("3")])),
    ]
    assert [document.id for document in read_all(sources, report=report)] == ["1", "2", "3"]
    assert report.documents == 3
    assert report.lines() == []


@pytest.mark.parametrize("one", ["a.jsonl", b"a.jsonl", Path("a.jsonl"), io.BytesIO(b"")])
def test_one_source_in_place_of_several_is_told(one):
    with pytest.raises(TypeError, match=r"several sources, in a list; read\(\) takes one"):
        read_all(one)


def test_a_report_keeps_a_bounded_number_of_reasons():
    report = ReadReport()
    data = b"".join(b'{"id": "%d"}\n' % number for number in range(250))
    assert not list(read(io.BytesIO(data), "jsonl", lenient=True, report=report))
    assert (report.skipped, len(report.reasons)) == (250, 100)
    assert report.lines()[0] == "250 documents skipped:"
    assert report.lines()[-1] == "  … and 150 more"


def test_the_same_source_can_be_read_twice_with_one_report(tmp_path):
    """Ids count as seen within one call, not over the life of a report."""
    path = tmp_path / "a.jsonl"
    write([example()], path)
    report = ReadReport()
    assert list(read(path, report=report)) == list(read(path, report=report))


@pytest.fixture
def format_of_ours():
    register(Format("count", "how many", (".count",), writer="test_reading:CountWriter", opener=""))
    yield
    del FORMATS["count"]


class CountWriter:
    """A write-only format from outside: no subclass is needed."""

    def __init__(self, stream, name):
        from novelink.formats import WriteReport

        self.stream, self.report = stream, WriteReport()

    def write(self, document):
        self.report.documents += 1

    def finish(self):
        self.stream.write(str(self.report.documents).encode())


def test_others_can_add_a_format(format_of_ours, tmp_path):
    """It is found by suffix for writing, and refused for reading with a clear message."""
    write([example("1"), example("2")], tmp_path / "x.count")
    assert (tmp_path / "x.count").read_text() == "2"
    with pytest.raises(SettingsError, match=r"'count' cannot be read\. Formats that can be read: "):
        read(tmp_path / "x.count", "count")


def test_every_registered_format_loads():
    """A wrong name in the registry would only show when somebody asks for that format."""
    from novelink.formats.registry import load

    for entry in FORMATS.values():
        for reference in (entry.reader, entry.writer, entry.opener, entry.sniff):
            assert not reference or callable(load(reference))
        assert entry.readable or entry.writable


def test_a_paper_may_speak_of_the_page_of_blocked_clients():
    """Only a page that begins as HTML is taken for one."""
    document = Document.from_text("1", "WWW Error Blocked Diagnostic and <html> in the wild")
    for name in OWN:
        assert list(read(io.BytesIO(written(name, [document])), name)) == [document]


def test_an_interrupted_writing_leaves_nothing(tmp_path):
    path = tmp_path / "a.jsonl"

    def documents():
        yield example()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(documents(), path)
    assert not list(tmp_path.iterdir())


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "a.json"
    with open_writer(path) as writer:
        writer.write(example())
        assert not path.exists()
    assert list(read(path)) == [example()]


def test_input_may_be_its_own_output(tmp_path):
    path = tmp_path / "a.jsonl"
    write([example("1"), example("2")], path)
    write(read(path), path)
    assert [document.id for document in read(path)] == ["1", "2"]


def test_the_mode_of_a_replaced_file_stays(tmp_path):
    path = tmp_path / "a.jsonl"
    path.touch(mode=0o640)
    path.chmod(0o640)
    write([example()], path)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(tmp_path):
    real, link = tmp_path / "real.jsonl", tmp_path / "link.jsonl"
    real.touch()
    link.symlink_to(real)
    write([example()], link)
    assert link.is_symlink()
    assert list(read(real)) == [example()]


def test_devices_are_written_directly():
    assert write([example()], "/dev/null", "jsonl").documents == 1


def test_text_streams_take_text():
    stream = io.StringIO()
    write([example()], stream, "jsonl")
    assert stream.getvalue() == written("jsonl").decode()


def test_half_a_surrogate_pair_is_refused_on_writing(tmp_path):
    document = Document.from_text("1", "A \udc80.")
    with pytest.raises(DataError, match=r"half a surrogate pair \(U\+DC80\)"):
        write([document], tmp_path / "a.jsonl")
    assert not list(tmp_path.iterdir())
