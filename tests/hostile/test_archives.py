"""Archives made to do harm: what they try is refused, counted, and never filled with memory."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from novelink import limits
from novelink.formats import read
from novelink.formats.unpacking import CutOffError
from novelink.scale.container import Container, ContainerError
from novelink.scale.corpus import CorpusFile


def members(data, name="a.tar"):
    container = Container(CorpusFile(name, name, len(data)), io.BytesIO(data))
    found = {member.name: member.stream.read() for member in container.members()}
    return found, container.notes


def tar(*entries, kind=tarfile.GNU_FORMAT):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=kind) as archive:
        for info, data in entries:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def with_field(header, start, stop, value):
    """A header with another field and the checksum that fits."""
    changed = bytearray(header)
    changed[start:stop] = value
    changed[148:156] = b" " * 8
    changed[148:156] = b"%06o\0 " % sum(changed[:512])
    return bytes(changed)


def test_a_sparse_member_is_left_out_and_counted():
    """512 bytes of archive would have read as a tebibyte of zeros."""
    info = tarfile.TarInfo("zeros.xml")
    info.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[386:410] = b"%011o\0%011o\0" % (0, 0)
    real = b"\x80" + (1 << 40).to_bytes(11, "big")
    header = with_field(header, 483, 495, real)
    fine = tarfile.TarInfo("fine.xml")
    found, notes = members(header + tar((fine, b"<a/>")))
    assert found == {"fine.xml": b"<a/>"}
    assert notes == ["archive members that are sparse files, left out"]


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_header_of_a_terabyte_is_not_read_whole(kind):
    info = tarfile.TarInfo("x")
    info.type = kind
    header = with_field(info.tobuf(), 124, 136, b"\x80" + (1 << 40).to_bytes(11, "big"))
    with pytest.raises(ContainerError, match="a header of 1,099,511,627,776 bytes"):
        members(header + b"x" * 10_240)


def test_a_negative_size_does_not_make_the_archive_go_in_circles():
    header = with_field(tarfile.TarInfo("x").tobuf(), 124, 136, b"\xff" * 12)
    with pytest.raises(ContainerError, match="damaged"):
        members(header + bytes(10_240))


def test_headers_inside_headers_without_end_are_an_error_of_ours():
    info = tarfile.TarInfo("x")
    info.type = tarfile.GNUTYPE_LONGNAME
    info.size = 1
    piece = info.tobuf(tarfile.GNU_FORMAT) + b"n" + bytes(511)
    with pytest.raises(ContainerError, match=r"too many headers|damaged"):
        members(piece * 5_000)


def test_bombs_inside_bombs_are_measured_by_what_lies_on_the_disk(monkeypatch):
    """Each layer is in proportion to the one around it, and the whole beyond all proportion."""
    monkeypatch.setattr(limits, "BOMB_FREE_BYTES", 1 << 16)
    inner = gzip.compress((b"A b c.\n" * 20 + b"%0200d\n" % 7) * 20_000, 9)
    outer = gzip.compress(tar((tarfile.TarInfo("bomb.txt.gz"), inner)), 9)
    with pytest.raises(CutOffError, match="decompression bomb"):
        members(outer, "a.tar.gz")


def test_gzip_inside_gzip_is_one_layer_too_many_for_a_reader():
    """A reader unpacks once; what comes out is no document."""
    twice = gzip.compress(gzip.compress(b"1|t|A\n1|a|\n"))
    stream = io.BytesIO(twice)
    stream.name = "a.pubtator.gz"
    with pytest.raises(Exception, match=r"not UTF-8|neither name nor content|before any title"):
        list(read(stream))


def test_a_damaged_gzip_member_is_an_error_with_its_name():
    damaged = bytearray(gzip.compress(b"<a/>" * 1_000))
    damaged[12:30] = b"\xff" * 18
    data = tar((tarfile.TarInfo("bad.xml.gz"), bytes(damaged)))
    container = Container(CorpusFile("a.tar", "a.tar", len(data)), io.BytesIO(data))
    (member,) = container.members()
    with pytest.raises(CutOffError, match=r"a\.tar:bad\.xml\.gz: the gzip file is damaged"):
        list(read(member.named()))
