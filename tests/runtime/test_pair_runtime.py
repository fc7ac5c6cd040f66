"""The bits of a result depend on its own sample: not on batch, order or threads."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novelink.errors import ModelError, SettingsError
from novelink.reading.pair import PairInput
from novelink.runtime.bundle import load_bundle
from novelink.runtime.pair_model import PairModel, feed

SAMPLE = st.builds(
    lambda ids, first, second: PairInput(
        ids=tuple(ids),
        starts=(first % len(ids), second % len(ids)),
        owners=(1, 2),
        cut_mentions=0,
        cut_tokens=0,
    ),
    st.one_of(
        st.lists(st.integers(0, 80), min_size=3, max_size=3),
        st.lists(st.integers(0, 80), min_size=1, max_size=24),
    ),
    st.integers(0, 23),
    st.integers(0, 23),
)


@pytest.fixture(scope="module", params=["tiny_bundle", "quantised_bundle"])
def models(request):
    """One graph under several thread counts and batch sizes, the plainest first."""
    bundle = load_bundle(request.getfixturevalue(request.param))
    return [
        PairModel(bundle, threads=threads, batch_tokens=tokens)
        for threads, tokens in [(1, 1), (1, 512), (2, 12), (3, 100_000)]
    ]


@settings(max_examples=40, deadline=None)
@given(samples=st.lists(SAMPLE, min_size=1, max_size=30), order=st.randoms())
def test_same_bits_for_any_batch_size_thread_count_and_order(models, samples, order):
    alone = [models[0].logits([sample]) for sample in samples]
    relation = np.concatenate([one.relation for one in alone])
    novelty = np.concatenate([one.novelty for one in alone])
    places = list(range(len(samples)))
    order.shuffle(places)
    for model in models:
        together = model.logits([samples[place] for place in places])
        assert together.relation.tobytes() == relation[places].tobytes()
        assert together.novelty.tobytes() == novelty[places].tobytes()


def test_threads_work_while_the_caller_goes_on(tiny_bundle, monkeypatch):
    """What waits for the caller's word can only end if starting did not wait for it."""
    model = PairModel(load_bundle(tiny_bundle), threads=2)
    samples = [PairInput((2, 7, 9, number, 3), (1, 2), (1, 2)) for number in range(6)]
    expected = model.logits(samples)
    run, word = model._run, threading.Event()

    def wait(batch):
        assert word.wait(60)
        return run(batch)

    monkeypatch.setattr(model, "_run", wait)
    started = model.start(samples)
    word.set()
    assert started.results().relation.tobytes() == expected.relation.tobytes()


def test_what_is_cancelled_does_not_begin(tiny_bundle, monkeypatch):
    model = PairModel(load_bundle(tiny_bundle), threads=2, batch_tokens=1)
    word, begun = threading.Event(), []

    def wait(batch):
        begun.append(batch)
        assert word.wait(60)

    monkeypatch.setattr(model, "_run", wait)
    started = model.start([PairInput((2, 7, 3), (1,), (3,))] * 20)
    started.cancel()
    word.set()
    model._pool.shutdown()
    assert len(begun) <= 2


def test_without_care_a_quantised_graph_would_mix_its_samples(quantised_bundle):
    """Why such graphs get every sample alone: in one batch the results differ."""
    bundle = load_bundle(quantised_bundle)
    model = PairModel(bundle, threads=1)
    random = np.random.default_rng(3)
    samples = [
        PairInput(tuple(map(int, random.integers(0, 80, 12))), (2, 5), (1, 2), 0, 0)
        for _ in range(20)
    ]
    careful = model.logits(samples).relation
    careless = model._session.run(feed(samples))["relation"]
    assert np.abs(careful - careless).max() > 1e-4


def test_start_markers_go_to_the_entity_or_entities_they_belong_to():
    fed = feed([PairInput((2, 5, 9, 5, 3), (1, 3), (1, 3), 0, 0)])
    assert fed["first_starts"].tolist() == [[0, 1, 0, 1, 0]]
    assert fed["second_starts"].tolist() == [[0, 0, 0, 1, 0]]
    assert fed["attention_mask"].tolist() == [[1, 1, 1, 1, 1]]


def test_no_samples_give_empty_arrays(tiny_bundle):
    logits = PairModel(load_bundle(tiny_bundle), threads=2).logits([])
    assert logits.relation.shape == (0, 9)
    assert logits.novelty.shape == (0, 3)


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"threads": 1, "batch_tokens": 0}])
def test_numbers_below_one_are_refused(tiny_bundle, wrong):
    with pytest.raises(SettingsError, match="1 or more"):
        PairModel(load_bundle(tiny_bundle), **wrong)


def test_an_id_outside_the_vocabulary_is_an_error_not_a_number(tiny_bundle):
    model = PairModel(load_bundle(tiny_bundle), threads=1)
    with pytest.raises(ModelError, match="failed on an input"):
        model.logits([PairInput((2, 10_000, 3), (1,), (3,), 0, 0)])


def test_a_graph_that_gives_no_numbers_is_an_error(tmp_path, bundle_writer):
    import onnx
    from onnx import numpy_helper

    from novelink.runtime.bundle import write_manifest

    folder = bundle_writer(tmp_path / "model")
    graph = onnx.load(folder / "model.onnx")
    bias = next(item for item in graph.graph.initializer if item.name == "relation_b")
    bias.CopyFrom(numpy_helper.from_array(np.full(9, np.nan, np.float32), "relation_b"))
    onnx.save(graph, folder / "model.onnx")
    write_manifest(folder)
    with pytest.raises(ModelError, match="not a number"):
        PairModel(load_bundle(folder), threads=1).logits([PairInput((2, 5, 3), (1,), (3,), 0, 0)])
