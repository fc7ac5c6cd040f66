"""A run learns, keeps its best epoch, says what goes wrong, and goes on after a kill."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from processes import run_processes, weights

from novelink.errors import DataError, ModelError, SettingsError
from novelink.schema import BIORED
from novelink.training import loop
from novelink.training.checkpoint import STATE
from novelink.training.loop import Trainer
from novelink.training.selection import read_selection


def metrics(folder):
    lines = (Path(folder) / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_a_run_learns_and_keeps_the_best_epoch_by_dev(trainer, settings, change):
    """One word decides the relation. Chance finds a third of the types."""
    made = trainer(change(settings, optim={"epochs": 10, "rate": 3e-3, "evaluate_from": 3}))
    selection = made.run()
    entries = metrics(made.output)
    assert [entry["epoch"] for entry in entries] == list(range(1, 11))
    assert "dev" not in entries[1]
    assert entries[-1]["losses"]["relation"] < 0.7 * entries[0]["losses"]["relation"]
    assert selection.scores["pair"]["f1"] > 0.6
    values = [
        sum(level["f1"] for level in entry["dev"].values()) / len(entry["dev"])
        for entry in entries[2:]
    ]
    assert selection.value == max(values)
    notes = json.loads((made.output / "best" / "selection.json").read_text(encoding="utf-8"))
    assert notes["epoch"] == 3 + values.index(max(values))
    assert notes["level"] == "all"
    assert read_selection(made.output / "best") == selection
    assert any("Dev F1 pair" in line for line in made.lines)


def test_the_saved_best_model_gives_the_scores_that_were_written(
    trainer, settings, change, dev_documents
):
    """Train → save → load → predict."""
    from novelink.training.prediction import predict
    from novelink.training.selection import level_scores
    from novelink.training.task_model import load_model

    made = trainer(change(settings, optim={"epochs": 3}))
    selection = made.run()
    model = load_model(made.output / "best")
    samples = model.samples(dev_documents)
    predictions = predict(
        model.model,
        samples,
        model.pad_id,
        batch_tokens=256,
        bf16=False,
        device=torch.device("cpu"),
    )
    scores = level_scores(dev_documents, predictions, model.schema, selection.decision)
    assert scores == selection.scores


def test_seeds_decide_everything(trainer, settings, change):
    def final(seed, name):
        optim = {"epochs": 1, "seed": seed}
        made = trainer(change(settings, output=f"{settings.output}-{name}", optim=optim))
        made.run()
        return weights(made.output / "best")

    first, again, other = final(1, "a"), final(1, "b"), final(2, "c")
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["relation.linear.weight"], other["relation.linear.weight"])


class KilledRun:
    """A run that kills itself with SIGKILL at a moment that a launcher could choose too.

    Args:
        run: trains; called in the process that is to die.
        moment: ``"after a checkpoint"``, ``"while one is written"`` or ``"at epoch's end"``.
    """

    def __init__(self, run, moment):
        self.run, self.moment, self.saves, self.ends = run, moment, 0, 0
        self.write, self.choose, self.save_state = torch.save, loop.choose, loop.save_state

    def __call__(self):
        torch.save, loop.choose, loop.save_state = self._write, self._choose, self._save_state
        self.run()

    def _die(self, moment):
        if self.moment == moment and self.saves == 4:
            os.kill(os.getpid(), signal.SIGKILL)

    def _write(self, state, path):
        self.saves += 1
        if self.moment == "while one is written" and self.saves == 4:
            Path(path).write_bytes(b"half a state")
        self._die("while one is written")
        self.write(state, path)

    def _choose(self, *arguments, **options):
        self.ends += 1
        if self.moment == "at epoch's end" and self.ends == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.choose(*arguments, **options)

    def _save_state(self, *arguments, **options):
        self.save_state(*arguments, **options)
        self._die("after a checkpoint")


@pytest.mark.parametrize("moment", ["after a checkpoint", "while one is written", "at epoch's end"])
def test_kill_9_in_the_middle_ends_with_the_same_weights(
    trainer, settings, change, make_documents, moment
):
    """With dropout, accumulation, FGM, R-Drop, drawn negatives and texts: all that is random."""
    train, dev = make_documents(32, seed=1), make_documents(12, seed=2)
    chosen = change(
        settings,
        encoder={"dropout": 0.2, "attention_dropout": 0.1},
        model={"dropout": 0.2},
        tasks={"negatives_per_positive": 0.5},
        optim={"accumulation": 2, "fgm_epsilon": 0.5, "checkpoint_minutes": 0.0},
    )
    chosen = change(chosen, optim={"epochs": 2, "batch_tokens": 160, "average_decay": 0.9})
    chosen = change(chosen, optim={"rdrop": 0.5, "layer_decay": 0.8})
    told = {"swap_entities": 0.5, "drop_sentences": 0.5, "hide_words": 0.1}
    chosen = change(chosen, augment=told)
    unbroken = trainer(change(chosen, output=f"{settings.output}-unbroken"), train, dev)
    unbroken.run()
    run = KilledRun(lambda: Trainer(chosen, train, dev, log=lambda _: None).run(), moment)
    assert run_processes(1, run) == [-signal.SIGKILL]
    resumed = trainer(chosen, train, dev)
    assert any(line.startswith("resumed in epoch") for line in resumed.lines)
    assert resumed.position.step > 0
    assert resumed.position.epoch < 2
    resumed.run()
    ours, theirs = weights(resumed.output / "best"), weights(unbroken.output / "best")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    left, right = (
        torch.load(made.output / STATE, weights_only=True)["model"] for made in (resumed, unbroken)
    )
    assert all(torch.equal(left[name], right[name]) for name in right)
    assert metrics(resumed.output) == metrics(unbroken.output)


def test_a_finished_run_is_not_trained_again(trainer, settings):
    first = trainer()
    selection = first.run()
    before = (first.output / STATE).stat().st_mtime_ns
    again = trainer()
    assert again.run() == selection
    assert (first.output / STATE).stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("sections", "named"),
    [
        ({"optim": {"rate": 5e-4}}, "optim.rate = 0.001, not 0.0005"),
        ({"tasks": {"novelty": 0.25}}, "tasks.novelty = 0.5, not 0.25"),
    ],
)
def test_a_folder_of_another_run_is_refused(trainer, settings, change, sections, named):
    trainer(change(settings, optim={"epochs": 1})).run()
    other = change(settings, optim={"epochs": 1} | sections.pop("optim", {}), **sections)
    with pytest.raises(SettingsError, match=named):
        trainer(other)


def test_other_documents_are_another_run(trainer, settings, change, train_documents):
    chosen = change(settings, optim={"epochs": 1})
    trainer(chosen).run()
    with pytest.raises(SettingsError, match="other training documents"):
        trainer(chosen, train=train_documents[:-1])


def test_a_broken_state_file_is_named(trainer, settings):
    Path(settings.output).mkdir(parents=True)
    (Path(settings.output) / STATE).write_bytes(b"no state")
    with pytest.raises(ModelError, match="state cannot be read"):
        trainer()


def test_best_few_epochs_are_kept(trainer, settings, change):
    """The paper's "best five": the epochs with the best Dev scores, here the best two."""
    made = trainer(change(settings, optim={"epochs": 5, "rate": 3e-3, "keep": 2}))
    made.run()
    values = [(entry["dev"]["all"]["f1"], entry["epoch"]) for entry in metrics(made.output)]
    best = sorted(values, key=lambda item: (-item[0], item[1]))[:2]
    folders = sorted(path.name for path in (made.output / "kept").iterdir())
    assert folders == sorted(f"epoch-{epoch:03d}" for _, epoch in best)
    ours = weights(made.output / "best")
    kept = weights(made.output / "kept" / f"epoch-{best[0][1]:03d}")
    assert all(torch.equal(ours[name], kept[name]) for name in kept)


def test_patience_stops_a_run_that_no_longer_improves(trainer, settings, change, monkeypatch):
    from novelink.decode import DecisionSettings
    from novelink.training.selection import Selection

    values = iter([0.3, 0.5, 0.4, 0.5, 0.9])

    def scripted(*_, **__):
        value = next(values)
        return Selection(DecisionSettings(), {"all": {"f1": value}}, value)

    monkeypatch.setattr(loop, "choose", scripted)
    made = trainer(change(settings, optim={"epochs": 5, "patience": 2}))
    assert made.run().value == 0.5
    assert made.position.epoch == 4
    notes = json.loads((made.output / "best" / "selection.json").read_text(encoding="utf-8"))
    assert notes["epoch"] == 2


def test_without_dev_documents_the_last_epoch_is_kept(trainer, settings, change):
    made = trainer(change(settings, optim={"epochs": 2, "evaluate_from": 9}), dev=[])
    selection = made.run()
    assert selection.decision.threshold == 0.5
    assert selection.scores == {}
    state = torch.load(made.output / STATE, weights_only=True)["model"]
    kept = weights(made.output / "best")
    assert all(torch.equal(kept[name], state[name]) for name in kept)
    assert any("Dev documents are not given" in line for line in made.lines)


def test_dev_scores_that_would_never_be_taken_are_refused_before_training(
    trainer, settings, change
):
    with pytest.raises(SettingsError, match="evaluate_from is 3, but there are only 2"):
        trainer(change(settings, optim={"evaluate_from": 3}))


def test_documents_without_relations_teach_nothing(trainer, train_documents):
    with pytest.raises(DataError, match="relate no candidate pair"):
        trainer(train=[document.with_relations(()) for document in train_documents])
    with pytest.raises(DataError, match="no candidate pair"):
        trainer(train=[document.with_mentions(()) for document in train_documents])


def test_a_loss_that_is_no_number_stops_with_advice(trainer, settings, change):
    made = trainer(change(settings, optim={"epochs": 1}))
    with torch.no_grad():
        made.model.relation.linear.weight.fill_(float("nan"))
    with pytest.raises(ModelError, match=r"loss became nan in step 1\..*optim.rate=0.0005"):
        made.run()
    assert not (made.output / "best").exists()


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        MemoryError(),
    ],
)
def test_running_out_of_memory_says_what_to_change(trainer, monkeypatch, error):
    made = trainer()

    def full(*_, **__):
        raise error

    monkeypatch.setattr(made.model, "forward", full)
    with pytest.raises(ModelError, match=r"optim.batch_tokens=128 --set optim.accumulation=2"):
        made.run()


def test_other_errors_are_not_taken_for_memory(trainer, monkeypatch):
    made = trainer()

    def broken(*_, **__):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(made.model, "forward", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        made.run()


def test_heads_of_weight_zero_and_the_pooler_stay_as_they_began(trainer, settings, change):
    """A one-task model: neither gradient nor weight decay moves the other heads."""
    chosen = change(
        settings, tasks={"coreference": 0.0, "pair_type": 0.0, "novelty": 0.0}, optim={"epochs": 1}
    )
    made = trainer(chosen)
    before = {name: value.clone() for name, value in made.model.state_dict().items()}
    selection = made.run()
    after = made.model.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    still = ("novelty", "pair_type", "coreference", "encoder.pooler")
    assert not any(name.startswith(still) for name in moved)
    assert "relation.linear.weight" in moved
    assert list(selection.scores) == ["pair", "type"]
    assert list(metrics(made.output)[0]["losses"]) == ["relation"]


def test_a_novelty_model_trains_without_a_relation_head(trainer, settings, change):
    chosen = change(
        settings, tasks={"main": "novelty", "relation": 0.0}, optim={"epochs": 2, "rate": 2e-3}
    )
    made = trainer(chosen)
    selection = made.run()
    assert selection.level == "novelty"
    assert list(selection.scores) == ["pair", "novelty"]


def test_rates_rise_and_fall(trainer, settings, change, monkeypatch):
    seen = []
    apply = loop.set_rates

    def noted(optimizer, factor):
        apply(optimizer, factor)
        seen.append([group["lr"] for group in optimizer.param_groups])

    monkeypatch.setattr(loop, "set_rates", noted)
    chosen = change(settings, optim={"epochs": 4, "warmup_share": 0.25, "head_rate": 1e-2})
    made = trainer(chosen)
    made.run()
    encoder = [rates[0] for rates in seen]
    assert len(encoder) == made.steps
    top = encoder.index(max(encoder))
    assert top == pytest.approx(made.steps / 4, abs=1)
    assert encoder[: top + 1] == sorted(encoder[: top + 1])
    assert encoder[top:] == sorted(encoder[top:], reverse=True)
    assert max(encoder) == pytest.approx(1e-3, rel=0.1)
    assert max(max(rates) for rates in seen) == pytest.approx(1e-2, rel=0.1)
    matrices = {group["weight_decay"] for group in made.optimizer.param_groups}
    assert matrices == {0.0, 0.01}


def test_an_odd_window_that_is_no_multiple_of_the_padding_step_is_not_padded_beyond(
    trainer, settings, change, make_documents
):
    """Cut to 90 tokens, inputs must not be padded to 96: an encoder may have 90 positions."""
    long = []
    for document in make_documents(6, seed=3, pairs=4):
        *others, last = document.passages
        longer = replace(last, text=f"{last.text} {'the ' * 100}".rstrip())
        long.append(replace(document, passages=(*others, longer)))
    chosen = change(settings, model={"max_length": 90}, optim={"epochs": 1, "batch_tokens": 400})
    made = trainer(chosen, train=long, dev=long)
    assert made.train_samples.lengths.max() == 90
    batch = made.train_samples.batch(np.arange(4), made.task_model.pad_id)
    assert batch.input_ids.shape[1] == 90
    made.run()


def test_windows_that_cut_mentions_are_reported(trainer, settings, change, make_documents):
    documents = [
        document.with_mentions(
            [
                *document.mentions,
                *(
                    mention.__class__(
                        mention.start, mention.end, mention.text, mention.type, ("orfa-id",)
                    )
                    for mention in document.mentions
                ),
            ]
        )
        for document in make_documents(4, seed=3, pairs=4)
    ]
    made = trainer(change(settings, model={"max_length": 32}), train=documents, dev=documents)
    assert any("marked mentions lie outside the 32-token windows" in line for line in made.lines)


def test_a_schema_without_novelty_trains_relations(
    trainer, settings, change, make_documents, tmp_path
):
    (tmp_path / "schema.toml").write_text(
        'name = "signs"\nentity_types = ["GeneOrGeneProduct", "DiseaseOrPhenotypicFeature"]\n'
        'relation_types = ["Positive_Correlation", "Negative_Correlation"]\nhas_novelty = false\n'
        '[[pairs]]\ntypes = ["DiseaseOrPhenotypicFeature", "GeneOrGeneProduct"]\n'
        'relations = ["Positive_Correlation", "Negative_Correlation"]\n',
        encoding="utf-8",
    )
    chosen = change(settings, data={"schema": str(tmp_path / "schema.toml")}, optim={"epochs": 1})
    documents = make_documents(12, seed=4)
    selection = trainer(chosen, train=documents, dev=documents).run()
    assert list(selection.scores) == ["pair", "type"]
    assert selection.level == "type"
    with pytest.raises(SettingsError, match="the schema has none"):
        trainer(
            change(chosen, tasks={"main": "novelty"}, output=f"{settings.output}-2"),
            train=documents,
        )


def test_labels_reach_the_heads_by_the_schemas_numbers(trainer):
    made = trainer()
    batch = made.train_samples.batch(made._batches(0)[0], 0)
    assert int(batch.labels.relation.max()) < len(BIORED.relation_labels)
    assert made.model.relation.linear.out_features == len(BIORED.relation_labels)


def test_denormal_numbers_are_back_after_a_run(trainer, settings, change):
    """Flushing them is a state of the whole thread; a library must not leave it behind."""
    trainer(change(settings, optim={"epochs": 1})).run()
    assert float(torch.tensor(1e-40, dtype=torch.float32) * 1.0) > 0
