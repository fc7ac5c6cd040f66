"""Archives are read member by member; damage and malice are told, never taken for an end."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from novelink import limits
from novelink.formats.unpacking import CutOffError
from novelink.scale.container import ContainerError, open_container
from novelink.scale.corpus import find_files


def contents(path):
    (file,) = find_files((str(path),)).files
    found = {}
    with open_container(file) as opened:
        for member in opened.members():
            found[member.name] = member.stream.read()
    return found, opened.notes


MEMBERS = {"a/one.xml": b"<one/>" * 5000, "b/two.xml": b"<two/>", "three.xml": b""}


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz", "x.tgz", "x.odd"])
def test_every_kind_of_archive_gives_its_members_in_order(tools, tmp_path, name):
    path = tools.pack(tmp_path / name, MEMBERS)
    found, notes = contents(path)
    assert list(found.items()) == list(MEMBERS.items())
    assert notes == []


def test_a_plain_or_packed_file_is_one_member_without_a_name(tmp_path):
    (tmp_path / "a.xml").write_bytes(b"<a/>")
    (tmp_path / "b.xml.gz").write_bytes(gzip.compress(b"<b/>"))
    assert contents(tmp_path / "a.xml")[0] == {"": b"<a/>"}
    assert contents(tmp_path / "b.xml.gz")[0] == {"": b"<b/>"}


def test_a_packed_member_of_an_archive_is_unpacked(tools, tmp_path):
    path = tools.pack(tmp_path / "x.tar", {"a.xml.gz": gzip.compress(b"<a/>")})
    assert contents(path)[0] == {"a.xml.gz": b"<a/>"}


def test_paths_that_leave_the_archive_and_links_are_refused_and_counted(tmp_path):
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        for name in ("../up.xml", "/etc/abs.xml", "a/../../up.xml", "fine.xml"):
            info = tarfile.TarInfo(name)
            info.size = 1
            archive.addfile(info, io.BytesIO(b"x"))
        link = tarfile.TarInfo("link.xml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    found, notes = contents(path)
    assert list(found) == ["fine.xml"]
    assert sum("leaves the archive" in note for note in notes) == 3
    assert sum("links" in note for note in notes) == 1


@pytest.mark.parametrize("cut", ["in the text", "in a header", "between members", "end mark"])
def test_a_tar_that_is_cut_off_anywhere_is_damaged_not_short(tools, tmp_path, cut):
    """tarfile alone takes three of these four for the end of the archive."""
    path = tools.pack(tmp_path / "x.tar", {"a.xml": b"a" * 600, "b.xml": b"b" * 600})
    whole = path.read_bytes()
    places = {"in the text": 800, "in a header": 1636, "between members": 1536, "end mark": 3072}
    path.write_bytes(whole[: places[cut]])
    with pytest.raises(ContainerError, match="damaged"):
        contents(path)


def test_a_damaged_header_in_the_middle_is_no_end(tools, tmp_path):
    path = tools.pack(tmp_path / "x.tar", {"a.xml": b"a" * 600, "b.xml": b"b" * 600})
    data = bytearray(path.read_bytes())
    data[1536 + 20] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ContainerError, match="damaged"):
        contents(path)


@pytest.mark.parametrize("damage", ["cut", "checksum"])
def test_a_gzip_that_is_cut_or_wrong_at_its_very_end_is_told(tools, tmp_path, damage):
    path = tools.pack(tmp_path / "x.tar.gz", MEMBERS)
    data = bytearray(path.read_bytes())
    if damage == "cut":
        del data[-6:]
    else:
        data[-6] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ContainerError, match="gzip file is"):
        contents(path)


@pytest.mark.parametrize("inside", [False, True])
def test_a_decompression_bomb_is_stopped(tools, tmp_path, monkeypatch, inside):
    monkeypatch.setattr(limits, "BOMB_FREE_BYTES", 1 << 20)
    bomb = gzip.compress(bytes(8 << 20), 9)
    if inside:
        path = tools.pack(tmp_path / "x.tar", {"bomb.xml.gz": bomb})
    else:
        path = tmp_path / "bomb.xml.gz"
        path.write_bytes(bomb)
    with pytest.raises(CutOffError, match="decompression bomb"):
        contents(path)


def test_a_missing_file_is_told(tmp_path):
    (tmp_path / "a.xml").write_bytes(b"<a/>")
    (file,) = find_files((str(tmp_path / "a.xml"),)).files
    (tmp_path / "a.xml").unlink()
    with pytest.raises(ContainerError, match="no such file"), open_container(file):
        pass
