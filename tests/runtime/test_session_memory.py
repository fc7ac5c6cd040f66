"""One pool of memory for all sessions of a process; without it all works the same."""

from __future__ import annotations

import onnxruntime

from novelink.reading.pair import PairInput
from novelink.runtime import session
from novelink.runtime.bundle import load_bundle
from novelink.runtime.pair_model import PairModel

COPIES = [PairInput((2, *range(7, 7 + length), 3), (1, 2), (1, 2)) for length in (4, 9, 30)]


def test_the_pool_is_made_once(monkeypatch):
    made = []
    monkeypatch.setattr(onnxruntime, "create_and_register_allocator", lambda *_: made.append(1))
    session._has_pool.cache_clear()
    assert all(session._shares_memory() for _ in range(3))
    assert len(made) == 1


def test_a_pool_that_cannot_be_made_is_done_without(monkeypatch):
    def refuse(*_):
        raise RuntimeError("an allocator is registered already")

    monkeypatch.setattr(onnxruntime, "create_and_register_allocator", refuse)
    assert session._has_pool.__wrapped__() is False


def test_answers_do_not_depend_on_where_memory_comes_from(tiny_bundle, monkeypatch):
    bundle = load_bundle(tiny_bundle)
    shared = [PairModel(bundle, threads=threads).logits(COPIES) for threads in (1, 2)]
    monkeypatch.setattr(session, "_shares_memory", lambda: False)
    own = PairModel(bundle, threads=1).logits(COPIES)
    for found in shared:
        assert found.relation.tobytes() == own.relation.tobytes()
        assert found.novelty.tobytes() == own.novelty.tobytes()
