"""Kill −9, dying workers, full and read-only disks: nothing lost, nothing doubled, errors clear."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from novelink.errors import DataError
from novelink.scale.run import run


def command(archive, output, model, *more):
    return [
        *(sys.executable, "-m", "novelink", "extract", str(archive), "-o", str(output)),
        *("-m", str(model), "--workers", "1", "--block-size", "2", *more),
    ]


def recorded(output):
    """Lines of the journal so far."""
    try:
        return (output / "_novelink/journal.jsonl").read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def test_killed_at_ten_random_moments_and_resumed_it_equals_an_unbroken_run(
    tools, tiny_bundle, tmp_path
):
    archive = tools.archive_of(tmp_path / "in.tar.gz", tools.numbered(180))
    output = tmp_path / "killed"
    chance = random.Random(8)
    moments = []
    for _ in range(10):
        before = recorded(output)
        wanted = before + chance.randint(0, 3)
        process = subprocess.Popen(
            command(archive, output, tiny_bundle, "--resume"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while recorded(output) < wanted and process.poll() is None:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        moments.append(recorded(output))
    assert moments == sorted(moments)
    assert 0 < moments[-1] < 90, "it was killed in the middle"
    done = subprocess.run(
        command(archive, output, tiny_bundle, "--resume"), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b"blocks were done before" in done.stderr
    assert b"180 documents" in done.stderr
    assert tools.lines_of(output) == tools.expected(tools.numbered(180))
    assert len(tools.files_of(output)) == 90
    summary = json.loads((output / "_summary.json").read_text())
    assert summary["documents"] == 180


def test_real_workers_write_the_same_bytes_as_one_process(tools, settings, tmp_path, monkeypatch):
    archive = tools.archive_of(tmp_path / "in.tar.gz", tools.numbered(60))
    report = run(settings(archive, workers=2))
    assert report.tally.documents == 60
    assert tools.lines_of(tmp_path / "results") == tools.expected(tools.numbered(60))
    assert multiprocessing.active_children() == []


def kill_workers(times):
    """Kill the next worker processes to appear, in a thread."""

    def watch():
        seen = set()
        while len(seen) < times:
            for child in multiprocessing.active_children():
                if child.pid not in seen:
                    seen.add(child.pid)
                    os.kill(child.pid, signal.SIGKILL)
            time.sleep(0.005)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def test_a_worker_that_dies_is_replaced_and_its_block_done(tools, settings, tmp_path):
    archive = tools.archive_of(tmp_path / "in.tar.gz", tools.numbered(20))
    killer = kill_workers(1)
    report = run(settings(archive))
    killer.join()
    assert report.tally.failed == 0
    assert tools.lines_of(tmp_path / "results") == tools.expected(tools.numbered(20))


def test_a_block_that_kills_every_worker_becomes_dead_letters(tools, settings, tmp_path):
    archive = tools.archive_of(tmp_path / "in.tar.gz", tools.numbered(20))
    killer = kill_workers(2)
    report = run(settings(archive))
    killer.join()
    assert (report.tally.documents, report.tally.failed) == (15, 5)
    assert tools.ids_of(tmp_path / "results") == [str(1005 + number) for number in range(15)]
    letters = (tmp_path / "results/_dead-letters.jsonl").read_text().splitlines()
    assert len(letters) == 5
    assert "the worker process died twice" in json.loads(letters[0])["reason"]
    assert "signal SIGKILL" in letters[0]


def test_workers_leave_when_their_parent_is_gone(tools, tiny_bundle, tmp_path):
    archive = tools.archive_of(tmp_path / "in.tar.gz", tools.numbered(240))
    output = tmp_path / "results"
    process = subprocess.Popen(
        command(archive, output, tiny_bundle),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while recorded(output) < 3 and process.poll() is None:
        time.sleep(0.005)
    process.kill()
    process.wait()
    for _ in range(2_000):
        if not members_of(process.pid):
            break
        time.sleep(0.01)
    assert members_of(process.pid) == []


def members_of(group):
    """Processes of a group that still run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, its_group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(its_group) == group and state != "Z":
            found.append(folder.name)
    return found


@pytest.mark.usefixtures("in_process")
def test_a_full_disk_is_said_and_what_was_written_is_whole(tools, settings, tmp_path, monkeypatch):
    archive = tools.archive_of(tmp_path / "in.tar.gz", tools.numbered(80))
    run(settings(archive, output=tmp_path / "whole"))
    whole = tools.files_of(tmp_path / "whole")
    with small_disk(tmp_path / "disk", monkeypatch) as disk:
        with pytest.raises(DataError) as caught:
            run(settings(archive, output=disk / "results"))
        assert "cannot write: " in str(caught.value)
        assert "--resume" in str(caught.value)
        written = tools.files_of(disk / "results")
        assert 0 < len(written) < len(whole)
        assert all(whole[name] == data for name, data in written.items())
        assert not list((disk / "results").rglob("*.tmp"))
        make_room(disk, monkeypatch)
        run(settings(archive, output=disk / "results", resume=True))
        assert tools.files_of(disk / "results") == whole


@contextmanager
def small_disk(place, monkeypatch):
    """A file system of 64 KiB where one can be mounted; else one that says that it is full."""
    place.mkdir()
    if mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", place):
        try:
            (place / "ballast").write_bytes(bytes(32 << 10))
            yield place
        finally:
            subprocess.run(["umount", place], check=True)
        return
    from novelink.scale.storage import LocalStore

    plain = LocalStore.write
    left = [12_000]

    def write(self, name, data):
        left[0] -= len(data)
        if left[0] < 0:
            with monkeypatch.context() as patch:
                patch.setattr(
                    "pathlib.Path.replace",
                    lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left")),
                )
                plain(self, name, data)
        plain(self, name, data)

    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "write", write)
        (place / "ballast").touch()
        yield place


def make_room(disk, monkeypatch):
    if not mount("-o", "remount,size=4m", disk):
        monkeypatch.undo()
    (disk / "ballast").unlink()


def mount(*arguments):
    if os.geteuid() != 0:
        return False
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.usefixtures("in_process")
def test_a_limit_on_the_size_of_files_is_a_clear_error_too(tools, settings, tmp_path):
    archive = tools.archive_of(tmp_path / "in.tar.gz", tools.numbered(30))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The journal outgrows this after some blocks.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500, before[1]))
    try:
        with pytest.raises(DataError, match="cannot write: File too large"):
            run(settings(archive))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    report = run(settings(archive, resume=True))
    assert report.tally.documents == 30
    assert tools.lines_of(tmp_path / "results") == tools.expected(tools.numbered(30))


@pytest.mark.usefixtures("in_process")
def test_a_read_only_place_is_said_before_anything_is_computed(tools, settings, tmp_path):
    archive = tools.archive_of(tmp_path / "in.tar.gz", tools.numbered(10))
    place = tmp_path / "locked"
    place.mkdir()
    mounted = mount("-t", "tmpfs", "-o", "ro", "tmpfs", place)
    if not mounted:
        place.chmod(0o555)
        if os.access(place, os.W_OK):
            pytest.skip("neither mounts nor permissions make a folder read-only here")
    try:
        with pytest.raises(DataError, match=r"locked.*cannot make the folder"):
            run(settings(archive, output=place / "results"))
        with pytest.raises(DataError, match=r"locked.*cannot make the folder"):
            run(settings(archive, output=place))
    finally:
        if mounted:
            subprocess.run(["umount", place], check=True)
        else:
            place.chmod(0o755)
