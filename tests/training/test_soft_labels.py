"""Soft labels: written by models, read back, and learned from in place of gold."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="training tests need the extra 'train'")

from hypothesis import given  # noqa: E402 (after the skip)
from hypothesis import strategies as st  # noqa: E402

from novelink.cli.teach import command as teach  # noqa: E402
from novelink.cli.train import with_teachers  # noqa: E402
from novelink.decode import decide  # noqa: E402
from novelink.document import NOVEL  # noqa: E402
from novelink.errors import DataError, SettingsError  # noqa: E402
from novelink.extractor import Extractor  # noqa: E402
from novelink.formats import write  # noqa: E402
from novelink.model.joint_loss import IGNORED, TaskTensors, TaskWeights, joint_loss  # noqa: E402
from novelink.pairs import candidate_pairs  # noqa: E402
from novelink.schema import BIORED  # noqa: E402
from novelink.training.labels import Teaching  # noqa: E402
from novelink.training.loop import Trainer  # noqa: E402
from novelink.training.samples import epoch_indices  # noqa: E402
from novelink.training.settings import TeacherSettings  # noqa: E402
from novelink.training.soft_labels import (  # noqa: E402
    SoftLabels,
    Teachers,
    read_soft_labels,
)
from novelink.training.task_model import build_model, load_model  # noqa: E402


def gold_as_soft(documents, certainty=0.97):
    """A teacher that knows the gold labels."""
    labels = SoftLabels(BIORED, ["oracle"])
    for document in documents:
        pairs = candidate_pairs(document)
        relation = np.full((len(pairs), len(BIORED.relation_labels)), 0.01)
        novelty = np.full((len(pairs), len(BIORED.novelty_labels)), 0.01)
        for row, pair in enumerate(pairs):
            relation[row, BIORED.relation_labels.index(pair.relation)] = certainty
            novelty[row, BIORED.novelty_labels.index(pair.novelty or "None")] = certainty
        relation /= relation.sum(1, keepdims=True)
        novelty /= novelty.sum(1, keepdims=True)
        labels.add(document.id, [pair.ids for pair in pairs], relation, novelty)
    return labels


def test_what_models_say_is_written_and_read_back(tiny_bundle, small_documents, tmp_path):
    model = Extractor.load(tiny_bundle)
    path = tmp_path / "soft.jsonl.gz"
    teachers = Teachers([model])
    teachers.write(small_documents, path)
    labels = read_soft_labels(path, BIORED)
    assert labels.models == (model.name,)
    assert teachers.report.pairs == len(labels)
    for entry in model.scored(small_documents):
        if not entry.pairs:
            continue
        found = labels.of(entry.document, entry.pairs)
        decisions = decide(
            entry.joined().relation,
            entry.joined().novelty,
            [pair.pair_type for pair in entry.pairs],
            BIORED,
            model.settings,
        )
        scores = [decision.score for decision in decisions]
        np.testing.assert_allclose(1 - found.relation[:, 0], scores, atol=1e-3)
        np.testing.assert_allclose(1 - found.novelty[:, 0], scores, atol=1e-3)
        share = found.novelty[:, 2] / found.novelty[:, 1:].sum(1)
        for row, decision in enumerate(decisions):
            likeliest = BIORED.relation_labels[1 + found.relation[row, 1:].argmax()]
            assert likeliest == decision.type
            sure = share[row] if decision.novelty == NOVEL else 1 - share[row]
            assert sure == pytest.approx(decision.novelty_score, abs=0.02)
        assert entry.document.id in labels
    assert list(tmp_path.iterdir()) == [path]


def test_gold_relations_are_not_looked_at(tiny_bundle, small_documents, tmp_path):
    model = Extractor.load(tiny_bundle)
    Teachers([model]).write(small_documents, tmp_path / "with.jsonl")
    bare = [document.with_relations(()) for document in small_documents]
    Teachers([model]).write(bare, tmp_path / "without.jsonl")
    assert (tmp_path / "with.jsonl").read_bytes() == (tmp_path / "without.jsonl").read_bytes()


def test_several_teachers_are_averaged(bundle_writer, small_documents, tmp_path):
    models = []
    for seed in (1, 2):
        bundle_writer(tmp_path / str(seed), seed=seed)
        models.append(Extractor.load(tmp_path / str(seed)))
        Teachers(models[-1:]).write(small_documents, tmp_path / f"{seed}.jsonl")
    Teachers(models).write(small_documents, tmp_path / "both.jsonl")
    one, two, both = (
        read_soft_labels(tmp_path / f"{name}.jsonl", BIORED) for name in ("1", "2", "both")
    )
    for document in small_documents:
        pairs = candidate_pairs(document)
        mean = (one.of(document, pairs).relation + two.of(document, pairs).relation) / 2
        np.testing.assert_allclose(both.of(document, pairs).relation, mean, atol=1e-4)


@pytest.mark.parametrize(("below", "answered_by"), [(0.0, "teacher"), (1.0, "screen")])
def test_a_screening_model_answers_for_pairs_it_finds_unrelated(
    bundle_writer, small_documents, tmp_path, below, answered_by
):
    for seed, name in ((1, "teacher"), (2, "screen")):
        bundle_writer(tmp_path / name, seed=seed)
    models = {name: Extractor.load(tmp_path / name) for name in ("teacher", "screen")}
    teachers = Teachers([models["teacher"]], screen=models["screen"], screen_below=below)
    teachers.write(small_documents, tmp_path / "screened.jsonl")
    Teachers([models[answered_by]]).write(small_documents, tmp_path / "alone.jsonl")
    report = teachers.report
    screened, alone = (
        read_soft_labels(tmp_path / f"{name}.jsonl", BIORED) for name in ("screened", "alone")
    )
    assert report.screened == (report.pairs if answered_by == "screen" else 0)
    for document in small_documents:
        pairs = candidate_pairs(document)
        np.testing.assert_allclose(
            screened.of(document, pairs).relation, alone.of(document, pairs).relation, atol=1e-5
        )


def test_unknown_pairs_are_nan(train_documents):
    labels = SoftLabels(BIORED)
    document = train_documents[0]
    found = labels.of(document, candidate_pairs(document))
    assert np.isnan(found.relation).all()
    assert np.isnan(found.novelty).all()


@given(st.floats(0.1, 10), st.lists(st.floats(0.01, 1), min_size=9, max_size=9))
def test_a_temperature_flattens_and_keeps_the_order(temperature, values):
    table = np.array([values]) / sum(values)
    labels = SoftLabels(BIORED, temperature=temperature)
    labels.add("1", [("a", "b")], table, np.full((1, 3), 1 / 3))
    row = labels._relation[0]
    assert row.sum() == pytest.approx(1, abs=1e-5)
    higher = table[0].argmax()
    assert row[higher] == pytest.approx(row.max(), abs=1e-6)
    if temperature > 1:
        assert row.max() <= table.max() + 1e-6
    else:
        assert row.max() >= table.max() - 1e-6


GOOD = {
    "id": "1",
    "pairs": [["a", "b"]],
    "relation": [[1, 0, 0, 0, 0, 0, 0, 0, 0]],
    "novelty": [[1, 0, 0]],
}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        (json.dumps({**GOOD, "relation": [[1, 0]]}), "wrong shape"),
        (json.dumps({**GOOD, "relation": [[0] * 9]}), "a row of none"),
        (json.dumps({**GOOD, "novelty": [[-1, 1, 1]]}), "negative"),
        (json.dumps({"id": "1"}), "pairs"),
    ],
)
def test_a_broken_line_is_named(tiny_bundle, small_documents, tmp_path, line, says):
    path = tmp_path / "soft.jsonl"
    Teachers([Extractor.load(tiny_bundle)]).write(small_documents[:1], path)
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=says) as caught:
        read_soft_labels(path, BIORED)
    assert "soft.jsonl:3" in str(caught.value)


def test_other_files_are_told_apart(tmp_path):
    other = tmp_path / "other.jsonl"
    other.write_text('{"format": "something"}\n', encoding="utf-8")
    with pytest.raises(DataError, match="not a file of soft labels"):
        read_soft_labels(other, BIORED)
    with pytest.raises(DataError, match="cannot read"):
        read_soft_labels(tmp_path / "absent.jsonl", BIORED)
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(b'{"format": "novelink-soft-labels"}\n' * 99)[:-12])
    with pytest.raises(DataError):
        read_soft_labels(cut, BIORED)


def test_the_soft_loss_is_the_cross_entropy_of_known_rows():
    torch.manual_seed(0)
    logits = TaskTensors(relation=torch.randn(3, 9, requires_grad=True))
    labels = TaskTensors(relation=torch.tensor([IGNORED, 2, IGNORED]))
    taught = torch.softmax(torch.randn(3, 9), dim=1)
    taught[2] = float("nan")
    total, values = joint_loss(
        logits, labels, TaskWeights(), soft=TaskTensors(relation=taught), soft_weight=0.5
    )
    logs = torch.log_softmax(logits.relation, dim=1)
    soft = -(taught[:2] * logs[:2]).sum(1).mean()
    hard = -logs[1, 2]
    assert values["relation"] == pytest.approx(float(hard.detach()))
    assert values["relation_soft"] == pytest.approx(float(soft.detach()))
    assert float(total.detach()) == pytest.approx(float((hard + 0.5 * soft).detach()))
    total.backward()
    assert torch.isfinite(logits.relation.grad).all()
    assert not logits.relation.grad[2].any()


def test_teachers_say_which_unannotated_pairs_are_related(settings, train_documents):
    model = build_model(settings)
    labels = gold_as_soft(train_documents[:4])
    teaching = Teaching(labels, frozenset(document.id for document in train_documents[:6]))
    bare = [document.with_relations(()) for document in train_documents[:6]]
    samples = model.samples(bare, teaching)
    assert (samples.relation == IGNORED).all()
    assert (samples.novelty == IGNORED).all()
    kept = epoch_indices(samples, negatives_per_positive=None, seed=1, epoch=0)
    assert set(samples.document[kept]) == {0, 1, 2, 3}


@pytest.mark.parametrize("reading", ["pair", "entity", "document"])
def test_a_student_learns_from_soft_labels_alone(
    settings, change, train_documents, dev_documents, make_documents, reading
):
    unlabelled = make_documents(48, seed=5, first=5000)
    labels = gold_as_soft(unlabelled)
    chosen = change(
        settings,
        model={"reading": reading, "max_length": 64},
        teacher={"labels": "given"},
        optim={"epochs": 10, "rate": 2e-3, "batch_tokens": 128, "evaluate_from": 9},
    )
    teaching = Teaching(labels, frozenset(document.id for document in unlabelled))
    # One annotated document is the least a run asks for.
    related = next(document for document in train_documents if document.relations)
    train = [related, *(document.with_relations(()) for document in unlabelled)]
    trainer = Trainer(chosen, train, dev_documents, log=lambda _: None, teaching=teaching)
    taught = trainer.run()
    alone = change(chosen, teacher={"labels": None}, output=f"{settings.output}-alone")
    untaught = Trainer(alone, [related], dev_documents, log=lambda _: None).run()
    assert taught.scores["type"]["f1"] > 0.8
    assert taught.scores["type"]["f1"] > untaught.scores["type"]["f1"]
    assert "relation_soft" in trainer.position.history[-1]["losses"]


def test_a_trainer_without_the_soft_labels_it_is_told_of_stops(
    settings, change, train_documents, dev_documents
):
    chosen = change(settings, teacher={"labels": "soft.jsonl"})
    with pytest.raises(SettingsError, match="novelink train"):
        Trainer(chosen, train_documents, dev_documents)


def test_documents_for_teachers_are_sorted_out(
    tiny_bundle, small_documents, train_documents, tmp_path, capsys
):
    Teachers([Extractor.load(tiny_bundle)]).write(
        [*small_documents, *train_documents[:2]], tmp_path / "soft.jsonl"
    )
    write([*small_documents, *train_documents[:3]], tmp_path / "more.pubtator")
    teacher = TeacherSettings(
        labels=str(tmp_path / "soft.jsonl"), documents=str(tmp_path / "more.pubtator")
    )
    train, teaching = with_teachers(list(train_documents), teacher, BIORED)
    assert train[: len(train_documents)] == train_documents
    with_pairs = {document.id for document in small_documents if candidate_pairs(document)}
    assert teaching.unlabelled == with_pairs
    assert not any(document.relations for document in train[len(train_documents) :])
    assert "left out 5" in capsys.readouterr().err
    with pytest.raises(DataError, match="none of the documents"):
        with_teachers(train_documents[5:], TeacherSettings(labels=teacher.labels), BIORED)
    with pytest.raises(SettingsError, match="novelink teach"):
        TeacherSettings(documents="more.pubtator")


def test_the_command_writes_labels_and_says_how_many(tiny_bundle, small_documents, tmp_path):
    write(small_documents, tmp_path / "texts.pubtator")
    target = tmp_path / "soft.jsonl"
    result = CliRunner().invoke(
        teach,
        [
            str(tmp_path / "texts.pubtator"),
            "-m",
            str(tiny_bundle),
            "--screen",
            str(tiny_bundle),
            "-o",
            str(target),
        ],
    )
    assert result.exit_code == 0, result.output
    assert f"{len(small_documents):,} documents" in result.stderr
    assert "alone" in result.stderr
    assert len(read_soft_labels(target, BIORED)) > 0


def test_an_encoder_learns_on_from_a_trained_model(
    settings, change, train_documents, dev_documents
):
    first = change(settings, optim={"epochs": 1})
    Trainer(first, train_documents, dev_documents, log=lambda _: None).run()
    folder = f"{first.output}/best"
    trained = load_model(Path(folder))
    for reading in ("pair", "document"):
        built = build_model(
            change(first, encoder={"name": folder, "dropout": 0.0}, model={"reading": reading})
        )
        old, new = (model.model.encoder.get_input_embeddings().weight for model in (trained, built))
        assert torch.equal(new[: len(old)], old)
        assert built.tokenizer.get_vocab_size() == len(new)
        kept = trained.model.encoder.state_dict()
        for name, value in built.model.encoder.state_dict().items():
            if "word_embeddings" not in name:
                assert torch.equal(value, kept[name]), name
