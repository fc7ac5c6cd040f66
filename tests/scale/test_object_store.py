"""Inputs and results in object stores: a local S3-compatible server, and fsspec's memory."""

from __future__ import annotations

import gzip
import json

import pytest

from novelink.errors import DataError, SettingsError
from novelink.scale.question import Question, ask
from novelink.scale.results import open_results
from novelink.scale.run import run
from novelink.scale.storage import ObjectStore, open_store

fsspec = pytest.importorskip("fsspec", reason="needs the extra 'scale'")
pytestmark = pytest.mark.usefixtures("in_process")


@pytest.fixture
def memory():
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    yield system
    system.store.clear()


@pytest.fixture
def bucket(monkeypatch):
    """``s3://corpus`` on a server of this process."""
    server_module = pytest.importorskip("moto.server", reason="needs moto[server]")
    s3fs = pytest.importorskip("s3fs", reason="needs s3fs")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem()
    system.mkdir("corpus")
    yield system
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def test_a_run_from_bucket_to_bucket_equals_a_local_one_and_resumes(
    tools, settings, tmp_path, bucket
):
    local = tmp_path / "in"
    local.mkdir()
    for number in range(2):
        path = tools.archive_of(local / f"{number}.tar.gz", tools.numbered(12, 12 * number))
        bucket.pipe_file(f"corpus/in/{path.name}", path.read_bytes())
    there = run(settings("s3://corpus/in/*.tar.gz", output="s3://corpus/out", parts="parquet"))
    here = run(settings(local, parts="parquet"))
    assert there.tally == here.tally
    stored = {
        name.removeprefix("corpus/out/"): bucket.cat_file(name)
        for name in bucket.find("corpus/out")
        if "/source=" in name
    }
    assert stored == tools.files_of(tmp_path / "results")
    with pytest.raises(SettingsError, match="already holds a run"):
        run(settings("s3://corpus/in/*.tar.gz", output="s3://corpus/out", parts="parquet"))
    # As after a crash: a part and the last records of the journal are gone.
    bucket.rm_file(f"corpus/out/{min(stored)}")
    again = run(settings("s3://corpus/in", output="s3://corpus/out", parts="parquet", resume=True))
    assert again.tally == here.tally
    assert bucket.exists(f"corpus/out/{min(stored)}")
    with open_results("s3://corpus/out") as remote, open_results(str(tmp_path / "results")) as disk:
        question = Question(("orfx1",))
        assert ask(remote, question) == ask(disk, question)
        assert ask(remote, question).total > 0


def test_a_store_writes_reads_lists_and_forgets(memory):
    store = open_store("memory://results/one")
    assert isinstance(store, ObjectStore)
    store.make()
    assert store.names() == []
    store.write("b/c.txt", b"c")
    store.write("a.txt", b"a")
    assert store.names() == ["a.txt", "b/c.txt"]
    assert store.names("b") == ["b/c.txt"]
    assert store.read("b/c.txt") == b"c"
    store.remove("a.txt")
    store.remove("a.txt")
    assert store.names() == ["b/c.txt"]
    with pytest.raises(DataError, match=r"memory://results/one/z: cannot read"):
        store.read("z")


def test_a_journal_in_a_store_that_lost_its_end_loses_and_doubles_nothing(tools, settings, memory):
    memory.pipe_file("/in/a.jsonl.gz", gzip.compress(tools.as_bytes(tools.numbered(100), "jsonl")))
    first = run(settings("memory://in/a.jsonl.gz", output="memory://out", block_documents=2))
    parts = {name: memory.cat_file(name) for name in memory.find("/out") if "source=" in name}
    assert len(parts) == 50
    journals = memory.find("/out/_novelink/journal")
    assert len(journals) > 2
    memory.rm_file(journals[-1])
    again = run(
        settings("memory://in/a.jsonl.gz", output="memory://out", block_documents=2, resume=True)
    )
    assert 0 < again.resumed_blocks < 50
    assert again.tally == first.tally
    assert parts == {
        name: memory.cat_file(name) for name in memory.find("/out") if "source=" in name
    }
    summary = json.loads(memory.cat_file("/out/_summary.json"))
    assert summary["documents"] == 100


def test_what_a_store_cannot_do_is_said(settings, memory):
    with pytest.raises(DataError, match="no such file"):
        run(settings("memory://in/none.xml", output="memory://out"))
    with pytest.raises(DataError, match="no file matches"):
        run(settings("memory://in/*.xml", output="memory://out"))
    with pytest.raises(SettingsError, match="fsspec knows"):
        open_store("nosuchprotocol://bucket/x")
