"""A real Ray cluster of two nodes on this machine: one is lost in the middle, no document is."""

from __future__ import annotations

import json
import threading
import time

import pytest

from novelink.errors import DataError
from novelink.scale.run import run

pytest.importorskip("ray", reason="needs the extra 'scale'")


@pytest.fixture
def cluster(monkeypatch):
    """A head without cores for work, and a function that adds nodes."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    import ray
    from ray.cluster_utils import Cluster

    made = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 2,
            "object_store_memory": 150 << 20,
            "include_dashboard": False,
        },
    )
    yield made
    ray.shutdown()
    made.shutdown()


def test_a_node_killed_in_the_middle_changes_no_byte_of_the_result(
    tools, settings, tmp_path, cluster
):
    documents = tools.numbered(300)
    archive = tools.archive_of(tmp_path / "in.tar.gz", documents[:150])
    single = tmp_path / "more.jsonl.gz"
    single.write_bytes(tools.as_bytes(documents[150:], "jsonl"))
    node = cluster.add_node(num_cpus=2, object_store_memory=150 << 20)
    cluster.wait_for_nodes()
    output = tmp_path / "ray"
    journal = output / "_novelink/journal.jsonl"
    seen = []

    def lose_a_node():
        while not journal.exists() or journal.read_bytes().count(b"\n") < 4:
            time.sleep(0.01)
        cluster.remove_node(node, allow_graceful=False)
        seen.append(journal.read_bytes().count(b"\n"))

    thief = threading.Thread(target=lose_a_node, daemon=True)
    thief.start()
    report = run(
        settings(
            archive,
            single,
            output=output,
            engine="ray",
            address=cluster.address,
            workers=3,
            block_documents=2,
        )
    )
    thief.join(timeout=30)
    assert seen, "the node was lost"
    assert seen[0] < 140, "blocks were still to be done"
    assert report.tally.documents == 300
    assert tools.lines_of(output) == tools.expected(documents)
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    blocks = [(one["block"]["file"], one["block"]["number"]) for one in records if "block" in one]
    assert len(blocks) == len(set(blocks)) == 150
    # The same run on this machine alone writes the same files, byte by byte.
    run(settings(archive, single, output=tmp_path / "local", block_documents=2))
    assert tools.files_of(output) == tools.files_of(tmp_path / "local")


def test_a_block_that_kills_its_actors_is_given_up_after_three(
    tools, settings, tmp_path, tiny_bundle
):
    from novelink.scale.blocks import Block, Cutting, blocks_of
    from novelink.scale.corpus import find_files
    from novelink.scale.ray_engine import _TRIES, TRIES, _Actor
    from novelink.scale.worker import Recipe
    from novelink.schema import BIORED

    path = tmp_path / "in.jsonl"
    path.write_bytes(tools.as_bytes(tools.numbered(4), "jsonl"))
    (file,) = find_files([str(path)]).files
    block, _ = blocks_of(file, Cutting(BIORED))
    assert isinstance(block, Block)
    results = tmp_path / "results"
    recipe = Recipe(str(results), "jsonl", BIORED, str(tiny_bundle))
    marks = results / _TRIES / "source=in.jsonl/part-000000.jsonl.gz"
    for number in range(TRIES):
        done = _Actor(recipe)._done(block)
        assert (done.tally.documents, done.tally.failed) == (4, 0)
        assert not list(marks.iterdir()), "what went well leaves no mark"
        for earlier in range(number + 1):
            (marks / str(earlier)).touch()  # as an actor leaves it that dies
    given_up = _Actor(recipe)._done(block)
    assert (given_up.tally.documents, given_up.tally.failed) == (0, 4)
    assert "died 3 times" in next(iter(given_up.tally.reasons)).replace("#", "3")


def test_a_cluster_that_is_not_there_is_said(settings, tools, tmp_path):
    archive = tools.archive_of(tmp_path / "in.tar.gz", tools.numbered(4))
    with pytest.raises(DataError, match=r"no Ray cluster answers at 127.0.0.1:1"):
        run(settings(archive, engine="ray", address="127.0.0.1:1"))
