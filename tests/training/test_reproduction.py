"""Every run of the paper's table, by name: made of the right models, trained once, scored."""

from __future__ import annotations

import json

import pytest

from novelink.cli import main
from novelink.errors import SettingsError
from novelink.formats import write
from novelink.training import reproduction as module
from novelink.training.cost import measure, operations
from novelink.training.presets import (
    EPOCHS,
    PRESETS,
    ingredient_settings,
    paper_settings,
    presets,
)

# run → what relation and novelty come from: (data, one- or multi-task, η, only the best).
TABLE = {
    "S1-1": ([("train", "multi", 0, False)], [("train", "multi", 0, False)]),
    "S1-2": ([("folds", "multi", 0, False)], [("train", "multi", 0, False)]),
    "S1-3": (
        [("folds", "multi", 0, False), ("train", "one", 0, True)],
        [("train", "multi", 0, False)],
    ),
    "S1-4": (
        [("folds", "multi", 0, False), ("folds", "multi", 1, False), ("train", "one", 0, True)],
        [("folds", "multi", 0, False)],
    ),
    "S1-5": (
        [("train", "multi", 0, False)],
        [("folds", "multi", 0, False), ("train", "one", 0, True)],
    ),
    "S2-1": ([("train", "multi", 0, True)], [("train", "multi", 0, True)]),
    "S2-2": ([("train", "multi", 0, False)], [("train", "multi", 0, False)]),
    "S2-3": ([("all", "multi", 0, True)], [("all", "multi", 0, True)]),
    "S2-4": ([("all", "multi", 0, False)], [("all", "multi", 0, False)]),
}


def test_presets_are_the_papers_table():
    assert list(PRESETS) == list(TABLE)
    for name, preset in PRESETS.items():
        for parts, wanted, main_task in (
            (preset.relation, TABLE[name][0], "relation"),
            (preset.novelty, TABLE[name][1], "novelty"),
        ):
            found = [
                (
                    part.ingredient.data,
                    "multi" if part.ingredient.multi_task else "one",
                    part.ingredient.eta,
                    part.single,
                )
                for part in parts
            ]
            assert found == wanted
            assert {part.ingredient.main for part in parts} == {main_task}
        assert preset.entities == ("gold" if name.startswith("S1") else "pubtator")


def test_the_papers_setting_needs_no_edits():
    base = paper_settings("some/encoder", revision="abc")
    assert base.model.reading == "pair"
    assert base.model.max_length == 512
    assert base.model.pair_vector == "cls"
    assert base.optim.fgm_epsilon > 0
    assert EPOCHS == {"relation": 50, "novelty": 15}
    for preset in PRESETS.values():
        for ingredient in preset.ingredients:
            made = ingredient_settings(base, ingredient, members=5)
            assert made.optim.epochs == EPOCHS[ingredient.main]
            assert made.tasks.main == ingredient.main
            others = {"coreference", "pair_type", "relation", "novelty"} - {ingredient.main}
            weights = [getattr(made.tasks, task) for task in others]
            if ingredient.multi_task:
                assert all(0.1 <= weight <= 0.5 for weight in weights)
            else:
                assert weights == [0.0] * 3
            is_best_five = ingredient.data == "train" and ingredient.multi_task
            assert made.optim.keep == (5 if is_best_five else 1)


def test_names_of_runs():
    assert [preset.name for preset in presets(["s1-4", "S1-4", "S2-1"])] == ["S1-4", "S2-1"]
    assert len(presets(["all"])) == 9
    with pytest.raises(SettingsError, match=r"no run 'S3-1'.*S1-1, .*S2-4, all"):
        presets(["S3-1"])


def test_cost_is_counted_from_the_documents(encoder_folder, make_documents):
    from novelink.reading.pair import PairReading
    from novelink.schema import BIORED
    from novelink.training.settings_file import override
    from novelink.training.task_model import build_model

    settings = override(
        paper_settings(str(encoder_folder)), ["model.max_length=48", "optim.fgm_epsilon=0"]
    )
    documents = make_documents(6, seed=1, pairs=3)
    corpus = measure(documents, BIORED, settings)
    model = build_model(settings)
    assert isinstance(model.reading, PairReading)
    samples = model.samples(documents)
    assert corpus.counted
    assert corpus.pairs == len(samples)
    # Each pair's markers are one token a mention's side; there is nothing to be cut here.
    assert corpus.tokens == int(samples.lengths.sum())
    once = operations(settings, 1000)
    assert once == 6 * 12 * 2 * 32**2 * 1000
    assert operations(override(settings, ["optim.fgm_epsilon=1.0"]), 1000) == 2 * once


def test_cost_without_the_encoder_is_an_estimate(make_documents):
    from novelink.schema import BIORED

    settings = paper_settings("nobody/no-such-encoder")
    corpus = measure(make_documents(3, seed=1), BIORED, settings)
    assert not corpus.counted
    assert corpus.tokens > 0
    assert operations(settings, 1000) is None


@pytest.fixture(scope="module")
def workplace(tmp_path_factory, make_documents):
    folder = tmp_path_factory.mktemp("reproduce")
    (folder / "data").mkdir()
    for number, (name, count) in enumerate((("Train", 12), ("Dev", 6), ("Test", 6))):
        documents = make_documents(count, seed=number, first=100 * number)
        write(documents, folder / "data" / f"{name}.PubTator", "pubtator")
    return folder


@pytest.fixture
def reproduce(workplace, encoder_folder, capfd):
    """Run ``novelink reproduce`` at its smallest."""

    def run(*arguments):
        capfd.readouterr()
        with pytest.raises(SystemExit) as caught:
            main(
                [
                    *("reproduce", *arguments, "--encoder", str(encoder_folder)),
                    *("--data", str(workplace / "data"), "-o", str(workplace / "out")),
                    *("--entities", str(workplace / "data" / "Test.PubTator")),
                    *("--epochs", "2", "--folds", "2", "--members", "2"),
                    *("--set", "model.max_length=64", "--set", "optim.batch_tokens=256"),
                    *("--set", "optim.precision=fp32", "--set", "optim.threads=1"),
                ]
            )
        captured = capfd.readouterr()
        return caught.value.code, captured.out, captured.err

    return run


def test_a_dry_run_prints_plan_and_cost_and_trains_nothing(reproduce, workplace):
    code, out, _ = reproduce("S1-4", "--dry-run")
    assert code == 0
    assert "S1-4: relation from 2 × re-folds + 2 × re-folds-other-eta + 1 × re-one-task" in out
    assert "GPU hours" in out
    assert not (workplace / "out").exists()
    plan = json.loads(reproduce("S1-1", "--dry-run", "--json")[1])
    assert [job["models"] for job in plan["jobs"]] == ["re", "tnt"]
    assert all(job["operations"] > 0 and not job["done"] for job in plan["jobs"])


def test_every_run_trains_and_scores_and_shares_its_models(reproduce, workplace, monkeypatch):
    trained = []
    trainer = module.Trainer

    def noted(settings, *arguments, **options):
        trained.append(settings.output)
        return trainer(settings, *arguments, **options)

    monkeypatch.setattr(module, "Trainer", noted)
    monkeypatch.setattr("novelink.training.crossval.Trainer", noted)
    code, out, err = reproduce("all", "--json")
    assert code == 0, err
    results = {result["run"]: result for result in json.loads(out)}
    assert list(results) == list(TABLE)
    counts = {
        name: (result["relation_members"], result["novelty_members"])
        for name, result in results.items()
    }
    assert counts == {
        "S1-1": (2, 2),
        "S1-2": (2, 2),
        "S1-3": (3, 2),
        "S1-4": (5, 2),
        "S1-5": (2, 3),
        "S2-1": (1, 1),
        "S2-2": (2, 2),
        "S2-3": (1, 1),
        "S2-4": (2, 2),
    }
    for name in TABLE:
        assert (workplace / "out" / name / "found.jsonl").is_file()
        written = json.loads((workplace / "out" / name / "result.json").read_text("utf-8"))
        assert written == results[name]
    # re, tnt, one task each; two folds of three sets; two seeds of two on Train + Dev.
    assert len(trained) == len(set(trained)) == 4 + 6 + 4
    trained.clear()
    code, out, _ = reproduce("S1-3", "S2-4")
    assert code == 0
    assert trained == []
    assert "S1-3 here, 3 + 2 models" in out
    assert "paper's best run" in out
    assert "44.41" in out
    # What is there was trained with other settings than these.
    code, out, err = reproduce("S1-1", "--set", "optim.rate=1e-3")
    assert code == 2
    assert "optim.rate = 2e-05, not 0.001" in err


def test_a_stopped_reproduction_goes_on_with_what_is_missing(
    workplace, encoder_folder, monkeypatch, tmp_path, capfd
):
    """Stopped in the first step of the TNT models: the RE models are not trained again."""
    trained, trainer = [], module.Trainer

    def noted(settings, *arguments, **options):
        trained.append(settings.name)
        if settings.name == "tnt" and "stopped" not in trained:
            trained.append("stopped")
            raise KeyboardInterrupt
        return trainer(settings, *arguments, **options)

    monkeypatch.setattr(module, "Trainer", noted)
    arguments = [
        *("reproduce", "S1-1", "--encoder", str(encoder_folder), "--json"),
        *("--data", str(workplace / "data"), "-o", str(tmp_path / "out"), "--epochs", "1"),
        *("--members", "1", "--set", "model.max_length=64", "--set", "optim.batch_tokens=512"),
        *("--set", "optim.precision=fp32", "--set", "optim.threads=1"),
    ]
    codes = []
    for _ in range(2):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        codes.append(caught.value.code)
    assert codes[0] != 0
    assert codes[1] == 0
    assert trained == ["re", "tnt", "stopped", "tnt"]
    assert json.loads(capfd.readouterr().out)[0]["relation_members"] == 1


class Service:
    """Answers as PubTator 3 would, from documents at hand."""

    def __init__(self, documents):
        self.documents = {document.id: document for document in documents}
        self.asked = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def __call__(self, requests):
        for request in requests:
            self.asked.append(request.id)
            yield self.documents[request.id]

    def lines(self):
        return []


@pytest.fixture
def service(monkeypatch, make_documents):
    made = Service(make_documents(6, seed=2, first=200))
    monkeypatch.setattr("novelink.annotate.chain.annotator", lambda *_, **__: made)
    return made


def test_subtask_2_asks_pubtator_by_pmid_where_no_file_is_given(
    workplace, encoder_folder, service, capfd, tmp_path
):
    """The service's answer is kept, so that a second call asks nothing."""
    arguments = [
        *("reproduce", "S2-1", "--encoder", str(encoder_folder)),
        *("--data", str(workplace / "data"), "-o", str(tmp_path / "out"), "--epochs", "1"),
        *("--members", "1", "--set", "model.max_length=64", "--set", "optim.batch_tokens=512"),
        *("--set", "optim.precision=fp32", "--set", "optim.threads=1"),
    ]
    for _ in range(2):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 0, capfd.readouterr().err
    assert service.asked == [str(number) for number in range(200, 206)]


def test_missing_files_are_named(encoder_folder, tmp_path, capfd):
    with pytest.raises(SystemExit) as caught:
        main(["reproduce", "S1-1", "--encoder", str(encoder_folder), "--data", str(tmp_path)])
    assert caught.value.code == 1
    assert "no file Train.PubTator" in capfd.readouterr().err
