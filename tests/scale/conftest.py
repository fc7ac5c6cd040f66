"""Corpora of our own small documents, and runs over them in this process for speed."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from dataclasses import replace
from functools import partial

import pytest

from command_line import run_command
from novelink import Extractor
from novelink.formats import write
from novelink.scale import run as run_module
from novelink.scale.blocks import Block
from novelink.scale.run import RunSettings
from novelink.scale.worker import BlockWorker


def numbered(documents, count, first=0):
    """As many documents as wanted, with ids of their own and years."""
    return [
        replace(
            documents[number % len(documents)],
            id=str(1000 + number),
            infons=(("year", str(1990 + number % 30)),),
        )
        for number in range(first, first + count)
    ]


def as_bytes(documents, format_name="bioc-xml"):
    stream = io.BytesIO()
    write(documents, stream, format_name)
    return stream.getvalue()


def pack(path, members):
    """A tar, compressed where its name says so, of name → bytes."""
    mode = "w:gz" if path.name.endswith("gz") else "w"
    with tarfile.open(path, mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def archive_of(path, documents, each=4):
    """An archive of BioC XML members with a few documents each."""
    members = {
        f"out/{start // each}.BioC.XML": as_bytes(documents[start : start + each])
        for start in range(0, len(documents), each)
    }
    return pack(path, members)


def lines_of(folder):
    """All result lines of a JSON Lines run, part by part."""
    return [
        line
        for part in sorted(folder.glob("source=*/part-*.jsonl.gz"))
        for line in gzip.decompress(part.read_bytes()).decode().splitlines()
    ]


def ids_of(folder):
    return [json.loads(line)["id"] for line in lines_of(folder)]


def files_of(folder):
    """Name → bytes of all parts."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.glob("source=*/part-*"))
    }


@pytest.fixture(scope="session")
def tools(small_documents, tiny_bundle):
    """The functions above, over the small documents and the tiny model."""

    class Tools:
        numbered = staticmethod(partial(numbered, small_documents))
        as_bytes = staticmethod(as_bytes)
        pack = staticmethod(pack)
        archive_of = staticmethod(archive_of)
        lines_of = staticmethod(lines_of)
        ids_of = staticmethod(ids_of)
        files_of = staticmethod(files_of)

        @staticmethod
        def expected(documents):
            """JSON Lines that the extractor alone gives for documents."""
            found = Extractor.load(tiny_bundle, threads=1).extract(documents)
            return as_bytes(found, "jsonl").decode().splitlines()

    return Tools


@pytest.fixture
def in_process(monkeypatch):
    """Blocks are done in this process, one after another, instead of in worker processes."""

    def serial(items, recipe, workers):
        worker = None
        for item in items:
            if isinstance(item, Block):
                worker = worker or BlockWorker(recipe)
                yield worker.work(item)
            else:
                yield item

    monkeypatch.setattr(run_module, "run_pool", serial)
    # A busy disk makes these tests slow; none of them cuts the power.
    monkeypatch.setattr("os.fsync", lambda _: None)


@pytest.fixture
def settings(tiny_bundle, tmp_path):
    """Settings of a small run; anything can be set otherwise."""

    def make(*inputs, output=None, **others):
        values = {"model": str(tiny_bundle), "block_documents": 5, "workers": 1, **others}
        return RunSettings(tuple(map(str, inputs)), str(output or tmp_path / "results"), **values)

    return make


@pytest.fixture
def novelink_here(capsys):
    """Run ``novelink ARGUMENTS`` in this process; exit code, stdout, stderr."""
    return partial(run_command, capsys)
