"""The ablation's table grows run by run over many calls, and says what the runs say."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import ablation
from ablation_results import LEVELS, ProtocolError, Results
from ablation_table import f1, gain_interval, markdown, place_in_page, summary

from novelink import read, score
from novelink.formats import write
from novelink.schema import BIORED
from novelink.training.members import member_answer, voted_documents


@pytest.fixture
def place(tmp_path, make_documents):
    """A folder with small corpora."""
    folder = tmp_path / "ablation"
    folder.mkdir()
    for number, (name, count) in enumerate((("Train", 12), ("Dev", 4), ("Test", 8))):
        documents = make_documents(count, seed=number, pairs=2, first=100 * number)
        write(documents, folder / f"{name}.PubTator", "pubtator")
    return folder


@pytest.fixture
def call(place, encoder_folder, monkeypatch):
    """Run the benchmark; the runs that it trained, in order."""
    trained = []
    trainer = ablation.Trainer

    def noted(settings, *arguments, **options):
        trained.append(Path(settings.output).name)
        return trainer(settings, *arguments, **options)

    monkeypatch.setattr(ablation, "Trainer", noted)
    monkeypatch.setattr("novelink.training.crossval.Trainer", noted)

    def run(output, *arguments):
        trained.clear()
        code = ablation.main(
            [
                *("--data", str(place), "--encoder", str(encoder_folder), "--threads", "1"),
                *("--work", str(place / "work"), "--output", str(output), "--folds", "2"),
                *("--set", "model.max_length=64", "--set", "optim.precision=fp32"),
                *("--set", "optim.epochs=2", "--set", "optim.rate=3e-3", *map(str, arguments)),
            ]
        )
        return code, list(trained)

    return run


def test_a_table_grows_over_many_calls(call, place, capsys, monkeypatch):
    """One walk, since every step needs the models of the one before it."""
    output = place / "results.json"
    missing_runs_are_trained_seed_1_of_all_rows_first(call, output, capsys)
    a_run_says_what_it_was(output)
    counts_of_documents_add_up_to_the_written_scores(output)
    novelty_of_rows_without_a_head_is_the_vote_of_the_novelty_model(output, place)
    folds_of_a_vote_are_stored_one_by_one(call, output, monkeypatch)
    all_models_vote_without_training(call, output, place)
    runs_that_would_not_compare_are_refused(call, output, capsys)
    rendering_puts_table_and_plot_into_the_page(output, place)


def missing_runs_are_trained_seed_1_of_all_rows_first(call, output, capsys):
    """A row without a novelty head has the one-task novelty model of its seed trained too."""
    rows = ("--rows", "one-task", "tnt", "fgm")
    code, trained = call(output, *rows, "--seeds", 1)
    assert code == 0
    assert trained == ["one-task-novelty-1", "one-task-1", "tnt-1", "fgm-1"]
    first = json.loads(output.read_text("utf-8"))["runs"]
    capsys.readouterr()
    _, trained = call(output, "--rows", "one-task", "cr", "--seeds", 1, 2)
    assert trained == ["cr-1", "one-task-novelty-2", "one-task-2", "cr-2"]
    assert 'missing seeds": {}' in capsys.readouterr().out
    runs = json.loads(output.read_text("utf-8"))["runs"]
    assert all(run in runs for run in first)
    assert call(output, *rows, "cr", "--seeds", 1)[1] == []


def a_run_says_what_it_was(output):
    runs = {(run["row"], run["seed"]): run for run in json.loads(output.read_text("utf-8"))["runs"]}
    one = runs["+ TNT", 1]
    assert set(one["dev"]) == set(one["test"]) == set(LEVELS)
    assert 1 <= one["epoch"] <= one["epochs"] == 2
    assert 0 < one["decision"]["threshold"] < 1
    assert one["minutes"] > 0
    assert one["core_minutes"] > 0
    # Two passes a step, over the same tokens.
    assert runs["+ FGM", 1]["tokens"] == 2 * one["tokens"] > 0
    assert {"python", "torch", "transformers", "novelink"} <= set(one["versions"])
    assert one["machine"]["threads"] == 1
    text = output.read_text("utf-8")
    assert "/tmp" not in text
    assert str(output.parent) not in text


def counts_of_documents_add_up_to_the_written_scores(output):
    results = Results(output)
    for row in ("one task", "+ FGM"):
        values = f1(results.counts(row, 1).sum(0))
        written = results.find(row, 1)["test"]
        assert values == pytest.approx([written[level]["f1"] for level in LEVELS])


def novelty_of_rows_without_a_head_is_the_vote_of_the_novelty_model(output, place):
    test = list(read(place / "Test.PubTator"))
    folder = place / "work" / "document"
    relation, novelty = (
        member_answer(folder / name / "best", test) for name in ("one-task-1", "one-task-novelty-1")
    )
    joined = voted_documents(test, [relation], [novelty], BIORED)
    bits = Results(output).find("one task, novelty", 1)["novel"]["test"]
    alone = voted_documents(test, [relation], [], BIORED)
    labels = [
        {(one.id1, one.id2, one.novelty) for one in document.relations}
        for document in ablation.with_novelty(test, alone, bits)
    ]
    assert labels == [
        {(one.id1, one.id2, one.novelty) for one in document.relations} for document in joined
    ]
    scores = score(test, joined, resamples=0)
    assert Results(output).find("one task", 1)["test"]["all"]["f1"] == scores["all"].f1


def folds_of_a_vote_are_stored_one_by_one(call, output, monkeypatch):
    """A call that ends in the second fold; the next one trains that fold only."""
    steps = ablation.Clock.tick
    trained_in = []

    def ends(clock, *given):
        trained_in.append(clock.file.parent.name)
        if trained_in[-1] == "fold-02":
            raise ablation.TimeOverError
        steps(clock, *given)

    with monkeypatch.context() as patch:
        patch.setattr(ablation.Clock, "tick", ends)
        call(output, "--rows", "vote", "--seeds", 1)
    results = Results(output)
    assert results.find("ten-fold vote", 1, 1)["held_out"]["all"].keys() >= {"f1"}
    assert not results.find("ten-fold vote", 1)
    assert not results.find("ten-fold vote", 1, 2)
    assert summary(results, {"ten-fold vote": "+ TNT"})[0]["folds"] == 1
    _, trained = call(output, "--rows", "vote", "--seeds", 1)
    assert trained == ["fold-02"]
    results = Results(output)
    whole = results.find("ten-fold vote", 1)
    parts = [results.find("ten-fold vote", 1, fold)["minutes"] for fold in (1, 2)]
    assert whole["minutes"] == pytest.approx(sum(parts), abs=0.02)
    assert call(output, "--rows", "vote", "--seeds", 1)[1] == []


def all_models_vote_without_training(call, output, place):
    assert call(output, "--rows", "all")[1] == []
    results = Results(output)
    run = results.find("vote of all runs", 1)
    singles = [one for one in results.runs if one["row"] not in ("ten-fold vote", run["row"])]
    assert run["members"] == [[one["row"], one["seed"]] for one in singles]
    assert len(run["members"]) == 8
    test = list(read(place / "Test.PubTator"))
    names = ("one-task-1", "one-task-2", "cr-1", "cr-2", "tnt-1", "fgm-1")
    novel = ("one-task-novelty-1", "one-task-novelty-2", "tnt-1", "fgm-1")
    relation, novelty = (
        [member_answer(place / "work" / "document" / name / "best", test) for name in chosen]
        for chosen in (names, novel)
    )
    scores = score(test, voted_documents(test, relation, novelty, BIORED), resamples=0)
    assert run["test"]["all"]["f1"] == scores["all"].f1
    assert results.seeds(run["row"]) == results.seeds("+ TNT")
    before = output.read_bytes()
    call(output, "--rows", "all")
    assert output.read_bytes() == before


def test_no_minutes_train_nothing(call, place, capsys):
    code, trained = call(place / "none.json", "--budget-minutes", 0)
    assert (code, trained) == (0, [])
    said = capsys.readouterr()
    assert "the same command goes on" in said.err
    assert '"one task": [1, 2, 3]' in said.out


def runs_that_would_not_compare_are_refused(call, output, capsys):
    before = output.read_bytes()
    for change, named in (
        (["--epsilon", "0.5"], "fgm_epsilon = 1.0, not 0.5"),
        (["--set", "optim.rate=1e-4"], "settings.optim.rate = 0.003, not 0.0001"),
        (["--documents", "5"], "documents = None, not 5"),
    ):
        code, trained = call(output, *change)
        assert (code, trained) == (1, [])
        assert named in capsys.readouterr().err
        assert output.read_bytes() == before


def rendering_puts_table_and_plot_into_the_page(output, folder):
    page = folder / "page.md"
    page.write_text(
        "Before.\n<!-- ablation-document -->\nearlier table\n<!-- /ablation-document -->\nAfter."
    )
    for _ in range(2):  # again, over its own output
        ablation.main(["--render", "--output", str(output), "--page", str(page)])
    text = page.read_text("utf-8")
    assert text.startswith("Before.\n<!-- ablation-document -->\n| row | runs |")
    assert text.endswith("<!-- /ablation-document -->\nAfter.")
    assert "earlier table" not in text
    assert "| + EPT | 0 |" in text
    assert "| + CR | 2 |" in text
    assert "| ten-fold vote | 1 (2 folds) |" in text
    ET.parse(folder / "images" / "ablation-document.svg")


def test_rows_without_a_finished_run_are_no_figures(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- ablation-document --><!-- /ablation-document -->")
    Results(tmp_path / "r.json", {"x": 1}).add({"row": "ten-fold vote", "seed": 1, "fold": 1})
    ablation.main(["--render", "--output", str(tmp_path / "r.json"), "--page", str(page)])
    assert "Not run yet." in page.read_text("utf-8")
    assert not (tmp_path / "images").exists()


def test_a_page_without_a_place_is_refused():
    with pytest.raises(ValueError, match="the page has no '<!-- x -->"):
        place_in_page("text", "x", "content")


def tables(seed, gain=0.0):
    """Counts of 3 seeds, 40 documents, 4 levels; ``gain`` of ten gold relations found more."""
    generator = np.random.default_rng(seed)
    hits = generator.integers(2, 6, (3, 40, 4)) + round(10 * gain)
    return np.stack([hits, np.full_like(hits, 10), np.full_like(hits, 10)], axis=-1)


def test_a_gain_is_certain_only_where_it_is_larger_than_chance():
    same = gain_interval(tables(1), tables(1))
    assert (same == 0).all()
    low, high = gain_interval(tables(1), tables(2))
    assert (low < 0).all()
    assert (high > 0).all()
    low, high = gain_interval(tables(1, gain=0.2), tables(2))
    assert (low > 0.1).all()
    assert (high < 0.3).all()


def test_rows_are_compared_over_the_seeds_that_both_have(tmp_path):
    """Seed 2 of the first row alone must not enter the gain."""
    results = Results(tmp_path / "r.json", {"x": 1})
    gold = dict.fromkeys(LEVELS, "4 4")

    def add(row, seed, hits):
        counts = dict.fromkeys(LEVELS, hits)
        run = {"row": row, "seed": seed, "core_minutes": 2.0, "minutes": 9.0, "hits": counts}
        run["machine"] = {"gpu": None}
        results.add(run | {"found": dict.fromkeys(LEVELS, "4 4")}, gold)

    add("a", 1, "1 1")
    add("a", 2, "4 4")
    add("b", 1, "2 2")
    first, second = summary(Results(tmp_path / "r.json"), {"a": None, "b": "a"})
    assert first["levels"]["all"] == [0.25, 1.0]
    assert second["gain"]["all"][0] == pytest.approx(0.25)
    table = markdown([first, second])
    assert "| a | 2 | 62.5 (25.0–100.0) |" in table
    assert "+25.0 (+25.0 to +25.0)" in table
    assert "| 2 |\n| b |" in table  # minutes of cores, not of the clock


def test_a_results_file_of_another_protocol_is_left_alone(tmp_path):
    Results(tmp_path / "r.json", {"x": 1}).add({"row": "a", "seed": 1})
    with pytest.raises(ProtocolError, match="x = 1, not 2"):
        Results(tmp_path / "r.json", {"x": 2})


def test_settings_that_came_after_a_results_file_do_not_close_it(tmp_path):
    Results(tmp_path / "r.json", {"x": {"y": 1}}).add({"row": "a", "seed": 1})
    assert Results(tmp_path / "r.json", {"x": {"y": 1, "new": 0}}).protocol == {"x": {"y": 1}}


def test_runs_added_by_another_call_meanwhile_are_kept(tmp_path):
    one, other = (Results(tmp_path / "r.json", {"x": 1}) for _ in range(2))
    one.add({"row": "a", "seed": 1})
    other.add({"row": "b", "seed": 1})
    one.add({"row": "a", "seed": 1, "better": True})
    assert Results(tmp_path / "r.json").runs == [
        {"row": "a", "seed": 1, "better": True},
        {"row": "b", "seed": 1},
    ]
