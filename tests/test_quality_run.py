"""A quality run and the card made from it: what is stored can be scored again, and is shown."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import pytest

from command_line import run_command
from novelink import Extractor, read, score, write
from novelink.document import NOVEL
from novelink.errors import ModelError
from novelink.pairs import candidate_pairs
from novelink.runtime.bundle import load_bundle
from novelink.runtime.model_set import write_model_set
from novelink.runtime.revision import revise
from novelink.schema import NO_RELATION
from novelink.scoring.calibration import reliability

ROOT = Path(__file__).parents[1]
LEVELS = ("pair", "type", "novelty", "all")


def script(name):
    path = ROOT / name
    spec = importlib.util.spec_from_file_location(f"script_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name, *arguments):
    module = script(name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [name, *map(str, arguments)])
        module.main()


@pytest.fixture(scope="module")
def place(tiny_bundle, small_documents, half_related, tmp_path_factory):
    """A model with its training on record, gold documents, and a quality run."""
    folder = tmp_path_factory.mktemp("quality")
    shutil.copytree(tiny_bundle, folder / "model")
    config = json.loads((folder / "model/config.json").read_text())
    figures = {level: {"precision": 0.5, "recall": 0.5, "f1": 0.512} for level in LEVELS}
    config["training"] = {
        "settings": {"optim": {"seed": 5, "epochs": 9}},
        "dev": figures,
        "epoch": 7,
    }
    config["precision"] = "int8"
    revise(folder / "model", {"config.json": json.dumps(config).encode()})
    write(half_related(small_documents), folder / "gold.pubtator")
    run(
        "benchmarks/quality.py",
        *(folder / "gold.pubtator", "--model", folder / "model", "--data", "Invented Test"),
        *("--threads", 1, "--output", folder / "results"),
    )
    return folder


@pytest.fixture(scope="module")
def result(place):
    (path,) = (place / "results").glob("*.json")
    assert path.name == "quality-tiny-invented-test.json"
    return json.loads(path.read_text("utf-8"))


def test_stored_predictions_are_those_of_extract_and_give_the_stored_scores(place, result):
    gold = list(read(place / "gold.pubtator"))
    found = list(Extractor.load(place / "model", threads=1).extract(gold))
    stored = {
        document.id: [
            [item.id1, item.id2, item.type, item.novelty, item.score, item.novelty_score]
            for item in document.relations
        ]
        for document in found
    }
    assert result["predictions"] == stored
    scores = score(gold, found, resamples=0)
    assert {level: result["scores"][level]["f1"] for level in LEVELS} == {
        level: scores[level].f1 for level in LEVELS
    }
    assert result["report"]["relations"] == sum(map(len, stored.values()))


def test_stored_pair_scores_give_the_stored_reliability(place, result):
    related, novel = [], []
    for document in read(place / "gold.pubtator"):
        pairs, scores = candidate_pairs(document), result["pair_scores"][document.id]
        assert len(pairs) == len(scores["related"]) == len(scores["novel"])
        for pair, sure, share in zip(pairs, scores["related"], scores["novel"], strict=True):
            related.append((sure, pair.relation != NO_RELATION))
            if pair.novelty:
                novel.append((share, pair.novelty == NOVEL))
    for name, cases in (("related", related), ("novelty", novel)):
        again = reliability([one for one, _ in cases], [right for _, right in cases])
        assert result["reliability"][name] == json.loads(json.dumps(again.to_dict()))


def test_size_and_times_are_noted(place, result):
    assert result["size"] == load_bundle(place / "model").size
    assert result["seconds"] >= 0
    assert result["cpu_seconds"] >= 0


@pytest.fixture
def model(place, tmp_path):
    return shutil.copytree(place / "model", tmp_path / "model")


def make_card(place, model, *more):
    (path,) = (place / "results").glob("*.json")
    run("recipes/card.py", model, "--test", path, "--recipe", "recipes/pair.toml", *more)


def test_a_card_and_the_configuration_say_what_was_measured(place, model, result):
    make_card(
        place,
        model,
        *("--before", "novelink train first.toml", "--data", "Invented corpus.", "--encoder", "E."),
        *("--licence", "Invented corpus: CC0.", "--limit", "Never on Mondays."),
    )
    bundle = load_bundle(model)
    measured = bundle.config["measured"]
    assert measured["recipe"] == {
        "steps": ["novelink train first.toml", "novelink train recipes/pair.toml"],
        "seed": 5,
        "epoch": "7 of 9",
    }
    for level in LEVELS:
        assert measured["test"]["scores"][level]["f1"] == result["scores"][level]["f1"]
    assert measured["calibration"]["related"]["error"] == result["reliability"]["related"]["error"]
    card = (model / "README.md").read_text("utf-8")
    low, high = result["scores"]["intervals"]["f1"]["pair"]
    f1 = result["scores"]["pair"]["f1"]
    row = f"| pair | 51.2 | {100 * f1:.1f} | {100 * low:.1f}–{100 * high:.1f} |"
    for part in (
        row,
        "`novelink train first.toml`, then `novelink train recipes/pair.toml`, seed 5",
        "Invented corpus. BioRED Dev",
        "Invented corpus: CC0.",
        "- Never on Mondays.",
        f"{100 * result['reliability']['related']['error']:.1f} %",
    ):
        assert part in card


def test_the_rule_for_subjects_goes_by_types_then_by_what_is_named_first(small_documents):
    """Checked against the order of types spelt out pair by pair."""
    kinds = {"ChemicalEntity": "cd", "GeneOrGeneProduct": "g", "DiseaseOrPhenotypicFeature": "x"}
    acting = {("cd", "g"), ("cd", "x"), ("g", "x")}
    counts = {"types": 0, "order": 0}
    judged = script("benchmarks/quality.py")
    for document in small_documents:
        every = judged.everything(document)
        first = {}
        for mention in sorted(document.mentions, key=lambda one: -one.start):
            first |= dict.fromkeys(mention.concept_ids, (mention.start, mention.type))
        for relation in judged.acting_by_rule(every).relations:
            ends = relation.id1, relation.id2
            names = [kinds.get(first[one][1]) for one in ends]
            if tuple(names) in acting or tuple(names[::-1]) in acting:
                assert relation.subject == ends[tuple(names[::-1]) in acting]
                counts["types"] += 1
            elif names[0] == names[1]:
                assert relation.subject == min(ends, key=lambda one: first[one][0])
                counts["order"] += 1
    assert min(counts.values()) > 0


def test_how_well_subjects_are_named_is_told(place, model, result, tmp_path, capsys):
    figures = {"judged": 1234, "named": 1000, "right": 913}
    figures |= {"precision": 0.4, "recall": 0.5, "f1": 0.444}
    told = result | {"direction by rule": {"right": 1090, "f1": 0.4}}
    told["scores"] = result["scores"] | {"direction": figures}
    path = tmp_path / "told.json"
    path.write_text(json.dumps(told), "utf-8")
    run("recipes/card.py", model, "--test", path, "--recipe", "recipes/pair.toml")
    card = " ".join((model / "README.md").read_text("utf-8").split())
    assert "of 1,234 pairs that were found and have a subject it names one for 1,000" in card
    assert "the right one in 91.3 %" in card
    assert "is right in 88.3 % of all of them" in card
    assert "F1 of pairs with their subject: 44.4 %, by the rule 40.0 %" in card
    code, out, err = run_command(capsys, "models", "info", model)
    assert code == 0, err
    assert "who acts: named for 1,000 of 1,234 pairs, right in 91.3 %" in out


def test_a_set_that_averages_is_measured_like_a_model_and_its_card_names_all_sources(
    place, model, bundle_writer, tmp_path, capsys
):
    other = bundle_writer(tmp_path / "other", name="other", seed=8)
    config = json.loads((model / "config.json").read_text())
    mine = json.loads((other / "config.json").read_text())
    mine |= {"training": config["training"], "precision": "int8"}
    revise(other, {"config.json": json.dumps(mine).encode()})
    make_card(place, model, "--data", "Invented corpus.")
    path = next((place / "results").glob("*.json"))
    result = json.loads(path.read_text("utf-8"))
    result["decision"] = load_bundle(other).config["decision"]
    (tmp_path / "other.json").write_text(json.dumps(result), "utf-8")
    run(
        "recipes/card.py",
        *(other, "--test", tmp_path / "other.json", "--recipe", "recipes/pair.toml"),
        *("--data", "Another corpus."),
    )
    folder, gold = tmp_path / "both", place / "gold.pubtator"
    write_model_set(folder, [model, other], [model, other], name="both", voting="average")
    assert run_command(capsys, "calibrate", folder, gold, "--data", "Invented Dev")[0] == 0
    run(
        "benchmarks/quality.py",
        *(gold, "--model", folder, "--data", "Invented Test"),
        *("--threads", 1, "--output", tmp_path / "results"),
    )
    (path,) = (tmp_path / "results").glob("*.json")
    result = json.loads(path.read_text("utf-8"))
    assert (result["model"], result["reading"]) == ("both", "pair")
    found = list(Extractor.load(folder, threads=1).extract(read(gold)))
    scores = score(list(read(gold)), found, resamples=0)
    assert result["scores"]["all"]["f1"] == scores["all"].f1
    run("recipes/card.py", folder, "--test", path)
    card = (folder / "README.md").read_text("utf-8")
    for part in ("Invented corpus.", "Another corpus.", "Dev also chose the set's thresholds"):
        assert card.count(part) == 1
    assert "`novelink ensemble tiny other --voting average -o both`" in card
    code, out, err = run_command(capsys, "models", "info", folder)
    assert code == 0, err
    assert "made from:" in out
    assert f"{100 * scores['all'].f1:5.1f}   95 % interval" in out


def test_a_card_is_refused_where_the_model_has_other_thresholds_by_now(place, model, capsys):
    config = json.loads((model / "config.json").read_text())
    config["decision"]["threshold"] = 0.123
    revise(model, {"config.json": json.dumps(config).encode()})
    before = (model / "README.md").read_bytes()
    with pytest.raises(SystemExit):
        make_card(place, model)
    assert "measure again" in capsys.readouterr().err
    assert (model / "README.md").read_bytes() == before


def test_a_revision_of_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(ModelError):
        revise(tmp_path, {"README.md": b""})
