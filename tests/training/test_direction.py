"""Direction as a fifth task: which entity of a related pair acts on the other."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training tests need the extra 'train'")

from command_line import run_command  # noqa: E402 (after the skip)
from novelink import Extractor, read, score, write  # noqa: E402
from novelink.decode import DecisionSettings, subject_shares  # noqa: E402
from novelink.model.document_model import DocumentModel  # noqa: E402
from novelink.model.heads import Direction  # noqa: E402
from novelink.model.joint_loss import IGNORED  # noqa: E402
from novelink.model.pair_model import PairModel  # noqa: E402
from novelink.pairs import candidate_pairs  # noqa: E402
from novelink.runtime.model_set import AVERAGE, revise_model_set, write_model_set  # noqa: E402
from novelink.schema import BIORED  # noqa: E402
from novelink.training.export import TOLERANCE, export_model  # noqa: E402
from novelink.training.logits import Predictions  # noqa: E402
from novelink.training.prediction import predict  # noqa: E402
from novelink.training.selection import choose, extracted_predictions, level_scores  # noqa: E402
from novelink.training.task_model import build_model, load_model, save_model  # noqa: E402


def with_subjects(documents):
    """What raises acts on what it raises; what is lowered acts on what lowers it."""
    return [
        document.with_relations(
            replace(
                relation,
                subject=relation.id1 if relation.type == "Positive_Correlation" else relation.id2,
            )
            for relation in document.relations
        )
        for document in documents
    ]


@pytest.fixture(scope="module")
def documents(make_documents):
    return with_subjects(make_documents(12, seed=5, pairs=2))


@pytest.fixture(params=["pair", "entity", "document"])
def built(request, settings, change):
    """A fresh model with the head, its weights far from the small start."""
    made = build_model(change(settings, model={"reading": request.param}, tasks={"direction": 0.5}))
    torch.manual_seed(2)
    for parameter in made.model.direction.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    made.model.eval()
    return made


def test_swapping_the_entities_turns_the_answer_whatever_the_weights():
    torch.manual_seed(1)
    head = Direction(6, 4)
    context, first, second = torch.randn(5, 6), torch.randn(5, 4), torch.randn(5, 4)
    ahead = head(context, head.roles(first), head.roles(second))
    back = head(context, head.roles(second), head.roles(first))
    assert torch.equal(ahead, back.flip(-1))
    assert ahead.abs().min() > 0
    same = head(context, head.roles(first), head.roles(first))
    assert torch.equal(same, torch.zeros(5, 2))


def test_swapping_the_entities_of_a_sample_turns_its_answer(built, documents):
    samples = built.samples(documents)
    batch = samples.batch(np.arange(2), built.pad_id)
    with torch.no_grad():
        logits = built.model(batch)
        if built.settings.model.reading == "pair":
            batch.owners = torch.tensor([0, 2, 1, 3])[batch.owners]
        else:
            batch.pairs = batch.pairs.flip(-1)
        swapped = built.model(batch)
    assert logits.direction.abs().max() > 0.01
    assert torch.allclose(logits.direction, swapped.direction.flip(-1), atol=1e-5)
    assert torch.allclose(logits.relation, swapped.relation, atol=1e-5)


def test_labels_are_the_gold_subject_and_nothing_where_there_is_none(built, documents):
    samples = built.samples([documents[0].with_relations(()), *documents])
    pairs = [pair for document in documents for pair in candidate_pairs(document)]
    wanted = [IGNORED if pair.subject is None else pair.ids.index(pair.subject) for pair in pairs]
    bare = len(candidate_pairs(documents[0]))
    assert samples.direction.tolist() == [IGNORED] * bare + wanted
    assert {0, 1, IGNORED} == set(wanted)
    everything = np.arange(len(samples.lengths))
    batch = samples.batch(everything, built.pad_id)
    rows = samples.rows(everything)
    assert batch.labels.direction.tolist() == samples.direction[rows].tolist()
    assert set(rows.tolist()) == set(range(len(samples)))


@pytest.mark.parametrize("reading", ["pair", "entity", "document"])
def test_without_a_weight_there_is_no_head_and_nothing_else_changes(settings, change, reading):
    made = build_model(change(settings, model={"reading": reading}))
    assert made.model.direction is None
    assert not any(name.startswith("direction") for name in made.model.state_dict())
    assert "direction" not in made.tasks
    more = build_model(
        change(settings, model={"reading": reading}, tasks={"direction": 0.5})
    ).model.state_dict()
    for name, value in made.model.state_dict().items():
        assert torch.equal(value, more[name])


def test_a_schema_without_direction_makes_no_head(built):
    kind = PairModel if built.settings.model.reading == "pair" else DocumentModel
    plain = replace(BIORED, has_direction=False)
    built.schema = plain
    assert built.weights.direction == 0
    assert kind(built.model.encoder, plain).direction is None


def test_the_head_is_saved_and_loaded(built, tmp_path):
    save_model(built, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert "direction" in loaded.tasks
    for name, value in built.model.state_dict().items():
        assert torch.equal(value, loaded.model.state_dict()[name])


def test_an_exported_model_says_who_acts_as_torch_does(built, documents, tmp_path):
    """The graph has one more output, and the relations get a subject."""
    export_model(built, tmp_path / "model", DecisionSettings(threshold=0.0), precision="fp32")
    extractor = Extractor.load(tmp_path / "model", threads=1)
    assert "direction" in extractor.tasks
    pairs, found = extracted_predictions(extractor, documents)
    samples = built.samples(documents)
    cpu = torch.device("cpu")
    answers = predict(built.model, samples, built.pad_id, batch_tokens=64, bf16=False, device=cpu)
    wanted = answers.direction
    np.testing.assert_allclose(found.direction, wanted, atol=TOLERANCE)
    relations = list(chain.from_iterable(one.relations for one in extractor.extract(documents)))
    assert len(relations) == len(pairs)
    for relation, pair, row in zip(relations, pairs, wanted, strict=True):
        if abs(row[0] - row[1]) > 0.01:
            assert relation.subject == pair.ids[int(np.argmax(row))]
    assert {relation.subject == relation.id1 for relation in relations} == {True, False}


@pytest.mark.parametrize("screen", ["plain", "acting", None])
def test_a_set_that_averages_names_the_subjects_of_the_member_that_knows_them(
    built, settings, documents, tmp_path, screen
):
    folders = [tmp_path / "plain", tmp_path / "acting"]
    for folder, model in zip(folders, (build_model(settings), built), strict=True):
        export_model(model, folder, DecisionSettings(), precision="fp32")
    alone = list(Extractor.load(folders[1], threads=1).scored(documents))
    scores = sorted(
        one.score
        for document in Extractor.load(folders[0]).extract(documents, min_score=0.0)
        for one in document.relations
    )
    below = scores[len(scores) // 2] if screen == "plain" else 0.01
    write_model_set(
        tmp_path / "set",
        folders,
        folders,
        name="both",
        voting=AVERAGE,
        screen=screen and (tmp_path / screen, below),
    )
    extractor = Extractor.load(tmp_path / "set", threads=1)
    assert extractor.tasks == {"relation", "novelty", "direction"}
    answered = pairs = 0
    for entry, other in zip(extractor.scored(documents), alone, strict=True):
        found, wanted = entry.joined().direction, other.joined().direction
        seen = found[:, 0] != found[:, 1]
        shares = [subject_shares(one[seen]) for one in (found, wanted)]
        np.testing.assert_allclose(*shares, atol=TOLERANCE)
        decided = extractor.extract([entry.document], min_score=0.0)
        named = [one.subject is not None for one in next(iter(decided)).relations]
        assert named == seen.tolist()
        answered, pairs = answered + int(seen.sum()), pairs + len(seen)
    if screen == "plain":  # a document all of whose pairs the screen keeps has rows all the same
        config = json.loads((tmp_path / "set" / "config.json").read_text("utf-8"))
        config["screen"]["below"] = 1.0
        revise_model_set(tmp_path / "set", {"config.json": json.dumps(config).encode()})
        found = list(Extractor.load(tmp_path / "set", threads=1).scored(documents))
        assert all(one.joined().direction.shape == (len(one.pairs), 2) for one in found)
        even = [one.joined().direction for one in found]
        assert all((one[:, 0] == one[:, 1]).all() for one in even)
    # What the screen kept from the one that knows has no subject.
    assert 0 < answered < pairs if screen == "plain" else answered == pairs


def test_the_command_writes_direction_lines_where_they_are_wanted(
    built, documents, tmp_path, capsys
):
    export_model(built, tmp_path / "model", DecisionSettings(threshold=0.0), precision="fp32")
    write(documents, tmp_path / "in.pubtator")
    given = ("extract", tmp_path / "in.pubtator", "-m", tmp_path / "model")
    target = tmp_path / "out.pubtator"
    code, _, err = run_command(capsys, *given, "-o", target, "--subjects")
    assert code == 0, err
    assert "relation subjects" not in err
    wanted = Extractor.load(tmp_path / "model").extract(documents)
    for found, other in zip(read(target), wanted, strict=True):
        assert [one.subject for one in found.relations] == [one.subject for one in other.relations]
    code, _, err = run_command(capsys, *given, "-o", target)
    assert code == 0
    assert "not held by this format, relation subjects: " in err
    for more, reason in (
        (("-o", tmp_path / "out.jsonl"), "jsonl always holds them"),
        ((), "the table always has them"),
        (("-o", f"{tmp_path}/parts/"), "not for a run in parts"),
    ):
        code, _, err = run_command(capsys, *given, *more, "--subjects")
        assert code == 2
        assert reason in err
    out = run_command(capsys, *given)[1]
    assert ("→" in out, "←" in out) == (True, True)


def test_a_set_that_votes_names_no_subject(built, documents, tmp_path):
    export_model(built, tmp_path / "model", DecisionSettings(threshold=0.0), precision="fp32")
    write_model_set(tmp_path / "set", [tmp_path / "model"], [tmp_path / "model"], name="votes")
    extractor = Extractor.load(tmp_path / "set", threads=1)
    assert extractor.tasks == {"relation", "novelty"}
    relations = chain.from_iterable(one.relations for one in extractor.extract(documents))
    assert {one.subject for one in relations} == {None}


def test_a_model_without_the_head_names_no_subject(settings, documents, tmp_path):
    export_model(build_model(settings), tmp_path / "model", DecisionSettings(threshold=0.0))
    extractor = Extractor.load(tmp_path / "model", threads=1)
    assert extractor.tasks == {"relation", "novelty"}
    found = list(extractor.extract(documents[:3]))
    assert all(relation.subject is None for one in found for relation in one.relations)


def test_the_least_probability_of_a_subject_is_the_best_for_f1(documents):
    pairs = [pair for document in documents for pair in candidate_pairs(document)]
    generator = np.random.default_rng(4)
    relation = np.zeros((len(pairs), 9))
    direction = generator.normal(size=(len(pairs), 2))
    for row, pair in enumerate(pairs):
        relation[row, BIORED.relation_labels.index(pair.relation)] = 20.0
        if row % 5 == 0 and pair.subject is None:  # unsure subjects of pairs that are not related
            relation[row, 0] = -20.0
        elif pair.subject is not None:
            direction[row, pair.ids.index(pair.subject)] += 3.0
    predictions = Predictions(
        *(one.astype(np.float32) for one in (relation, np.zeros((len(pairs), 3)), direction))
    )
    chosen = choose(documents, predictions, BIORED, tasks=frozenset(["relation", "direction"]))

    def f1(least):
        decision = replace(chosen.decision, direction_threshold=least)
        return level_scores(documents, predictions, BIORED, decision)["direction"]["f1"]

    assert chosen.scores["direction"]["f1"] == f1(chosen.decision.direction_threshold)
    assert max(f1(step / 50) for step in range(51)) <= chosen.scores["direction"]["f1"]
    assert chosen.decision.direction_threshold > 0.5


def test_gold_without_subjects_leaves_the_threshold_and_the_scores_alone(make_documents):
    documents = make_documents(4, seed=5)
    count = sum(len(candidate_pairs(document)) for document in documents)
    rows = np.random.default_rng(0).normal(size=(count, 14)).astype(np.float32)
    chosen = choose(documents, Predictions(rows[:, :9], rows[:, 9:12], rows[:, 12:]), BIORED)
    assert chosen.decision.direction_threshold == 0.5
    assert "direction" not in chosen.scores


def test_a_run_learns_who_acts(trainer, settings, change, make_documents, tmp_path):
    """Which entity acts hangs on the verb, not on the order: always answering one is half right."""
    made = trainer(
        change(
            settings,
            tasks={"direction": 1.0},
            optim={"epochs": 12, "rate": 3e-3, "batch_tokens": 512, "evaluate_from": 12},
        ),
        train=with_subjects(make_documents(80, seed=5)),
        dev=with_subjects(make_documents(24, seed=6, first=1000)),
    )
    selection = made.run()
    lines = (made.output / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    losses = [json.loads(line)["losses"]["direction"] for line in lines]
    assert losses[-1] < 0.5 * losses[0]
    assert selection.scores["direction"]["accuracy"] > 0.85
    test = with_subjects(make_documents(24, seed=7, first=2000))
    export_model(load_model(made.output / "best"), tmp_path / "int8", selection.decision)
    found = list(Extractor.load(tmp_path / "int8", threads=1).extract(test))
    assert score(test, found, resamples=0).direction.accuracy > 0.85


def test_a_set_that_averages_names_subjects_by_the_mean_of_those_who_know_them(
    built, documents, tmp_path
):
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        export_model(built, folder, DecisionSettings(), precision="fp32")
        for parameter in built.model.direction.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    write_model_set(tmp_path / "set", folders, folders, name="both", voting=AVERAGE)
    found, *alone = (
        [
            subject_shares(entry.joined().direction)
            for entry in Extractor.load(folder, threads=1).scored(documents)
            if entry.pairs
        ]
        for folder in (tmp_path / "set", *folders)
    )
    assert max(np.abs(one - other).max() for one, other in zip(*alone, strict=True)) > 0.05
    for mean, *parts in zip(found, *alone, strict=True):
        np.testing.assert_allclose(mean, np.mean(parts, axis=0), atol=2e-4)
