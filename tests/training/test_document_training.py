"""Whole-document samples, a run that learns from them, and the graph of batches of documents."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from novelink.decode import DecisionSettings
from novelink.document import Document, Mention
from novelink.model.joint_loss import IGNORED
from novelink.pairs import candidate_pairs
from novelink.runtime.document_model import INPUTS, OUTPUTS
from novelink.schema import BIORED, CHEMICAL, GENE, SPECIES
from novelink.training.document_samples import document_batch
from novelink.training.export import TOLERANCE, export_model
from novelink.training.graphs import DocumentGraph
from novelink.training.settings import EncoderSettings, ModelSettings, TrainSettings
from novelink.training.task_model import build_model, load_model


@pytest.fixture(scope="module")
def built(encoder_folder):
    """A model of short windows with random heads, large enough to tell pairs apart."""
    made = build_model(
        TrainSettings(
            name="random",
            encoder=EncoderSettings(name=str(encoder_folder), dropout=0.0),
            model=ModelSettings(reading="document", max_length=32, dropout=0.0),
        )
    )
    made.reading.max_length = 16  # shorter than settings allow: several windows of few tokens
    for head in (made.model.relation, made.model.novelty, made.model.bilinear):
        torch.nn.init.normal_(getattr(head, "linear", head).weight, std=0.3)
    return made


@pytest.fixture(scope="module")
def documents(make_documents):
    """Of one to four windows, with one to four related pairs."""
    return [make_documents(1, seed=pairs, pairs=pairs, first=pairs)[0] for pairs in (1, 4, 2, 3, 4)]


def test_a_batch_holds_every_document_at_its_place(built, documents):
    samples = built.samples(documents)
    counts = [len(item.windows) for item in samples.inputs]
    assert min(counts) == 1
    assert max(counts) >= 4
    batch = samples.batch(np.arange(len(documents)), built.pad_id)
    start_ids = {built.tokenizer.token_to_id(f"<{kind}>") for kind in built.schema.entity_types}
    flat = batch.input_ids.flatten(1)
    for row, item in enumerate(samples.inputs):
        windows = len(item.windows)
        for number, window in enumerate(item.windows):
            assert batch.input_ids[row, number, : len(window)].tolist() == list(window)
            assert batch.attention_mask[row, number].sum() == len(window)
        # Nothing of a window that a document does not have may be seen.
        assert batch.attention_mask[row, windows:].sum() == 0
        markers = batch.members[row].sum(0) > 0
        assert {int(token) for token in flat[row][batch.mentions[row][markers]]} <= start_ids
        assert int(markers.sum()) == len(item.markers)
        assert batch.pairs[row][batch.pair_mask[row]].tolist() == [list(p) for p in item.pairs]
        assert (batch.members[row].sum(1) > 0).sum() == item.entities


def test_labels_stand_in_the_order_of_the_documents_pairs(built, documents):
    samples = built.samples(documents)
    chosen = np.array([3, 0, 1])
    labels = samples.batch(chosen, built.pad_id).labels
    expected = [
        BIORED.relation_labels.index(pair.relation)
        for number in chosen
        for pair in candidate_pairs(documents[number])
    ]
    assert labels.relation.tolist() == expected
    assert samples.rows(chosen).tolist() == [
        row for number in chosen for row in samples.rows_of[number]
    ]
    assert len(set(expected)) > 1


def test_a_mention_of_two_entities_is_one_marker_in_coreference(built):
    text = "orfa and orfb and orfc"
    document = Document.from_text(
        "1",
        text,
        mentions=[
            Mention(0, 4, "orfa", GENE, ("1", "2")),
            Mention(9, 13, "orfb", GENE, ("2",)),
            Mention(18, 22, "orfc", GENE, ("3",)),
        ],
    )
    samples = built.samples([document])
    batch = samples.batch(np.arange(1), built.pad_id)
    assert batch.members[0].sum(0).tolist() == [2, 1, 1]
    assert batch.labels.coreference.tolist() == [1, 0, 0]


def test_markers_of_padding_take_no_part_in_coreference(built, documents):
    samples = built.samples(documents[:2])
    labels = samples.batch(np.arange(2), built.pad_id).labels.coreference.reshape(2, -1)
    counts = [len(item.markers) for item in samples.inputs]
    real = [(row != IGNORED).sum().item() for row in labels]
    assert real == [count * (count - 1) // 2 for count in counts]


def test_documents_without_pairs_are_left_out(built):
    lone = Document.from_text("1", "orfa", mentions=[Mention(0, 4, "orfa", SPECIES, ("9",))])
    samples = built.samples([lone])
    assert len(samples) == len(samples.inputs) == 0


def test_a_run_learns_which_pairs_are_related(trainer, settings, change, make_documents):
    """Two sentences about two entities each: four pairs, of which the verbs relate two at most.

    Saying that all pairs, or all within a sentence, are related stays far below.
    """
    made = trainer(
        change(
            settings,
            model={"reading": "document"},
            optim={"epochs": 24, "rate": 3e-3, "batch_tokens": 512, "evaluate_from": 20},
        ),
        train=make_documents(96, seed=5, pairs=2),
        dev=make_documents(24, seed=6, pairs=2, first=1000),
    )
    selection = made.run()
    lines = (Path(made.output) / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    losses = [json.loads(line)["losses"]["relation"] for line in lines]
    assert losses[-1] < 0.4 * losses[0]
    assert selection.scores["pair"]["f1"] > 0.85
    assert selection.scores["type"]["f1"] > 0.85
    assert load_model(made.output / "best").settings.model.reading == "document"


@pytest.fixture(scope="module")
def exported(built, tmp_path_factory):
    folder = tmp_path_factory.mktemp("document") / "model"
    assert export_model(built, folder, DecisionSettings(), precision="fp32") < TOLERANCE
    return onnxruntime.InferenceSession(str(folder / "model.onnx"))


def arrays(batch, known):
    values = (batch.input_ids, batch.attention_mask, known)
    values += (batch.mentions, batch.members, batch.pairs)
    return dict(zip(INPUTS, values, strict=True))


def run(session, inputs):
    return session.run(list(OUTPUTS), {name: value.numpy() for name, value in inputs.items()})


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_graph_takes_batches_of_documents_of_several_windows(built, documents, exported, count):
    """The same logits as torch, with and without known token vectors before the windows."""
    inputs = built.samples(documents).inputs[:count]
    batch = document_batch(inputs, built.pad_id)
    generator = torch.Generator().manual_seed(1)
    for known in (0, 7):
        feed = arrays(batch, torch.randn(count, known, 32, generator=generator))
        with torch.no_grad():
            wanted = DocumentGraph(built.model)(*feed.values())
        for found, value in zip(run(exported, feed), wanted, strict=True):
            np.testing.assert_allclose(found, value.numpy(), atol=TOLERANCE)


def test_documents_of_a_batch_answer_as_they_do_alone(built, documents, exported):
    inputs = built.samples(documents).inputs
    batch = document_batch(inputs, built.pad_id)
    together = run(exported, arrays(batch, torch.zeros(len(inputs), 0, 32)))
    for row, item in enumerate(inputs):
        one = document_batch([item], built.pad_id)
        alone = run(exported, arrays(one, torch.zeros(1, 0, 32)))
        count = len(item.pairs)
        for found, wanted in zip(together[:2], alone[:2], strict=True):
            np.testing.assert_allclose(found[row, :count], wanted[0, :count], atol=1e-4)
    assert together[0].std(axis=(0, 1)).min() > 0.02  # it tells pairs apart


def test_types_of_markers_start_from_their_words(built):
    """``<ChemicalEntity>`` from the mean of "chemical entity"."""
    weight = built.model.encoder.get_input_embeddings().weight
    words = built.tokenizer.encode("chemical entity", add_special_tokens=False).ids
    marker = built.tokenizer.token_to_id(f"<{CHEMICAL}>")
    torch.testing.assert_close(weight[marker], weight[words].mean(0))
