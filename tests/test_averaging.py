"""A set that averages answers as a single model would that has its members' mean."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from command_line import run_command
from novelink import write
from novelink.cli.model_description import set_description
from novelink.decode import (
    DecisionSettings,
    decide,
    legal_classes,
    relation_logits,
    relations_of,
    softmax,
)
from novelink.errors import ModelError, SettingsError
from novelink.extractor import Extractor
from novelink.runtime import bundle as bundle_module
from novelink.runtime import model_set as set_module
from novelink.runtime.model_set import AVERAGE, load_model_set, revise_model_set, write_model_set
from novelink.schema import BIORED


@pytest.fixture(scope="module")
def members(tmp_path_factory, bundle_writer):
    """Three per-pair models of other random weights."""
    folder = tmp_path_factory.mktemp("averaged")
    return [bundle_writer(folder / f"m{seed}", name=f"m{seed}", seed=seed) for seed in (7, 8, 9)]


def averaging(folder, members, **decision):
    """A set of models with thresholds of its own."""
    write_model_set(folder, members, members, name="mean", voting=AVERAGE)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["decision"] |= decision
    revise_model_set(folder, {"config.json": json.dumps(config).encode()})
    return folder


def test_the_answer_is_that_of_the_mean_probabilities(members, small_documents, tmp_path):
    decision = {"threshold": 0.55, "relation_bias": 0.2, "novel_threshold": 0.4}
    extractor = Extractor.load(averaging(tmp_path / "set", members, **decision), threads=1)
    assert extractor.name == "mean"
    assert extractor.tasks == {"relation", "novelty"}
    assert extractor.settings == DecisionSettings(**decision)
    found = list(extractor.extract(small_documents))
    singles = [list(Extractor.load(one, threads=1).scored(small_documents)) for one in members]
    count = 0
    for document, *entries in zip(found, *singles, strict=True):
        pairs = entries[0].pairs
        if not pairs:
            assert document.relations == ()
            continue
        relation, novelty = (
            np.log(np.mean([softmax(getattr(one.joined(), part)) for one in entries], axis=0))
            for part in ("relation", "novelty")
        )
        types = [pair.pair_type for pair in pairs]
        decided = decide(relation, novelty, types, extractor.schema, DecisionSettings(**decision))
        wanted = relations_of(pairs, decided)
        kept = [one for one, answer in zip(pairs, decided, strict=True) if answer.related]
        assert [(one.id1, one.id2) for one in document.relations] == [one.ids for one in kept]
        for one, other in zip(document.relations, wanted, strict=True):
            assert (one.type, one.novelty) == (other.type, other.novelty)
            assert one.score == pytest.approx(other.score, abs=2e-4)
        count += len(kept)
    assert 0 < count < extractor.report.pairs
    assert extractor.report.documents == len(small_documents)
    assert extractor.report.relations == count


def test_neither_order_nor_threads_matter(members, small_documents, tmp_path):
    answers = []
    for number, order in enumerate(permutations(members)):
        folder = averaging(tmp_path / str(number), list(order))
        answers.append(
            list(Extractor.load(folder, threads=1 + number % 2).extract(small_documents))
        )
    for other in answers[1:]:
        for document, same in zip(answers[0], other, strict=True):
            assert [(one.id1, one.id2, one.type) for one in document.relations] == [
                (one.id1, one.id2, one.type) for one in same.relations
            ]
            for one, two in zip(document.relations, same.relations, strict=True):
                assert one.score == pytest.approx(two.score, abs=1e-4)


def test_evidence_is_that_of_the_member_that_reads_the_whole_document(
    members, document_bundles, small_documents, tmp_path
):
    whole = document_bundles / "fp32"
    for number, order in enumerate(([members[0], whole], [whole, members[0]])):
        folder = averaging(tmp_path / str(number), order, threshold=0.0)
        extractor = Extractor.load(folder, threads=1)
        assert extractor.gives_evidence
        found = list(extractor.extract(small_documents, evidence=True))
        alone = Extractor.load(whole, threads=1).extract(
            small_documents, evidence=True, min_score=0.0
        )
        shown = 0
        for document, other in zip(found, alone, strict=True):
            theirs = {(one.id1, one.id2): one.evidence for one in other.relations}
            for one in document.relations:
                assert one.evidence == theirs[one.id1, one.id2]
                shown += len(one.evidence)
        assert shown > 5
        plain = list(extractor.extract(small_documents))
        assert all(not one.evidence for document in plain for one in document.relations)
    with pytest.raises(ModelError, match="gives no evidence"):
        Extractor.load(averaging(tmp_path / "two", members[:2])).extract([], evidence=True)


def test_what_a_member_could_not_see_is_counted_once(members, make_long, tmp_path):
    document = make_long
    alone = Extractor.load(members[0], threads=1)
    list(alone.extract([document]))
    extractor = Extractor.load(averaging(tmp_path / "set", members), threads=1)
    list(extractor.extract([document]))
    assert alone.report.cut_pairs > 0
    assert extractor.report.cut_pairs == alone.report.cut_pairs
    assert extractor.report.pairs == alone.report.pairs


@pytest.fixture
def make_long(small_documents):
    """A document far longer than a member reads, its entities at both ends."""
    (first, *_) = small_documents
    text = first.passages[1].text
    filler = "nothing was seen here and so on . " * 400
    passage = replace(first.passages[1], text=f"{text} {filler}")
    return replace(first, passages=(first.passages[0], passage))


@pytest.mark.parametrize("place", [0, 2])
def test_a_screen_answers_alone_for_what_it_finds_unrelated(
    members, small_documents, tmp_path, place, monkeypatch
):
    alone = Extractor.load(members[place], threads=1)
    singles = [list(Extractor.load(one, threads=1).scored(small_documents)) for one in members]
    sure = [
        one.score
        for document in alone.extract(small_documents, min_score=0.0)
        for one in document.relations
    ]
    below = round(float(np.median(sure)), 4) + 0.0001
    folder = tmp_path / "set"
    write_model_set(
        folder, members, members, name="x", voting=AVERAGE, screen=(members[place], below)
    )
    asked = []
    plain = Extractor._candidates
    extractor = Extractor.load(folder, threads=1)
    monkeypatch.setattr(Extractor, "_candidates", lambda *given: asked.append(1) or plain(*given))
    found = list(extractor.scored(small_documents))
    assert len(asked) == len(small_documents)  # the others read only what was left to them
    screened = count = 0
    for entry, *entries in zip(found, *singles, strict=True):
        if not entry.pairs:
            continue
        legal = legal_classes([pair.pair_type for pair in entry.pairs], BIORED)
        own = entries[place].joined().relation
        logits = relation_logits(own, alone.settings)
        score = 1 - softmax(np.where(legal, logits, -np.inf))[:, 0]
        mean = np.mean([softmax(one.joined().relation) for one in entries], axis=0)
        is_left = np.round(score, 4) >= below
        wanted = np.where(is_left[:, None], mean, softmax(own))
        assert np.exp(entry.joined().relation) == pytest.approx(wanted, abs=1e-5)
        screened, count = screened + int((~is_left).sum()), count + len(is_left)
    assert 0.2 * count < screened < 0.8 * count
    assert f"screen: 0{place + 1}-m{7 + place}, below {below}" in set_lines(folder)


def set_lines(folder):
    return "\n".join(set_description(load_model_set(folder)))


def test_evidence_behind_a_screen_is_the_screens(
    members, document_bundles, small_documents, tmp_path
):
    whole = document_bundles / "fp32"
    pair = [members[0], whole]
    for name, screen in (("whole", whole), ("pair", members[0])):
        write_model_set(
            tmp_path / name, pair, pair, name=name, voting=AVERAGE, screen=(screen, 0.6)
        )
    assert not Extractor.load(tmp_path / "pair").gives_evidence
    answers = [
        list(
            Extractor.load(tmp_path / "whole", threads=threads).extract(
                small_documents, evidence=True, min_score=0.0
            )
        )
        for threads in (1, 2)
    ]
    assert answers[0] == answers[1]
    assert [one.id for one in answers[0]] == [one.id for one in small_documents]
    alone = Extractor.load(whole, threads=1).extract(small_documents, evidence=True, min_score=0.0)
    shown = 0
    for document, other in zip(answers[0], alone, strict=True):
        theirs = {(one.id1, one.id2): one.evidence for one in other.relations}
        for one in document.relations:
            assert one.evidence == theirs[one.id1, one.id2]
            shown += len(one.evidence)
    assert shown > 5


def test_a_screen_that_cannot_be_is_refused(members, tmp_path):
    for given, voting, message in (
        ((members[2], 0.1), AVERAGE, "is no member"),
        ((members[0], 0.1), "majority", "only a set that averages"),
        ((members[0], 1.5), AVERAGE, "not within 0–1"),
    ):
        with pytest.raises((ModelError, SettingsError), match=message):
            write_model_set(
                tmp_path / "set", members[:2], members[:2], name="x", voting=voting, screen=given
            )
        assert not (tmp_path / "set").exists()
    folder = averaging(tmp_path / "whole", members[:2])
    config = json.loads((folder / "config.json").read_text("utf-8"))
    for screen in ({"member": "other", "below": 0.1}, {"member": "01-m7"}, 7):
        changed = json.dumps(config | {"screen": screen}).encode()
        with pytest.raises(ModelError):
            revise_model_set(folder, {"config.json": changed})


def test_calibrate_fits_the_sets_own_thresholds(
    members, small_documents, half_related, tmp_path, capsys
):
    gold = tmp_path / "gold.jsonl"
    write(half_related(small_documents), gold)
    folder = tmp_path / "set"
    code, out, err = run_command(capsys, "ensemble", *members, "-o", folder, "--voting", "average")
    assert (code, out) == (0, "")
    assert "novelink calibrate" in err
    before = (folder / "config.json").read_bytes()
    code, out, err = run_command(capsys, "calibrate", folder, gold, "--data", "made up")
    assert code == 0, err
    assert out.startswith("set, calibrated on made up")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    assert config["decision"] != json.loads(before)["decision"]
    assert "configs" not in config
    opened = load_model_set(folder)
    assert opened.decision == config["decision"]
    found = Extractor.load(folder, threads=1)
    assert found.settings == DecisionSettings.from_dict(config["decision"])
    # Members are as they were, and so is what their manifests say.
    assert [one.decision for one in opened.members] == [
        bundle_module.load_bundle(one).decision for one in members
    ]
    code, out, _ = run_command(capsys, "models", "info", folder)
    assert "voting: average" in out
    assert f"threshold: {config['decision']['threshold']}" in out
    assert run_command(capsys, "models", "verify", folder)[0] == 0


def test_a_failed_change_leaves_the_set_as_it_was(members, tmp_path):
    folder = averaging(tmp_path / "set", members)
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with pytest.raises(ModelError, match="not a set of models"):
        revise_model_set(folder, {"config.json": b"{}"})
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert before == after
    load_model_set(folder)


def test_models_that_ship_are_named_and_not_copied(members, tmp_path, monkeypatch, capsys):
    shelf = tmp_path / "models"
    for module in (bundle_module, set_module):
        monkeypatch.setattr(module, "EMBEDDED", shelf)
    for name, source in zip(("first", "second"), members, strict=False):
        shutil.copytree(source, shelf / name)
        config = json.loads((shelf / name / "config.json").read_text("utf-8"))
        config["name"] = name
        (shelf / name / "config.json").write_text(json.dumps(config), "utf-8")
        bundle_module.write_manifest(shelf / name)
    code, _, err = run_command(
        capsys, "ensemble", "first", "second", members[2], "-o", tmp_path / "set", "--voting",
        "average",
    )  # fmt: skip
    assert code == 0, err
    assert [path.name for path in (tmp_path / "set" / "members").iterdir()] == ["03-m9"]
    opened = load_model_set(tmp_path / "set")
    assert [one.folder for one in opened.members[:2]] == [shelf / "first", shelf / "second"]
    assert opened.size > sum(one.size for one in opened.members)
    assert Extractor.load(tmp_path / "set", threads=1).name == "set"
    # A set that ships is found by name, beside the models.
    shutil.copytree(tmp_path / "set", shelf / "third")
    assert bundle_module.embedded_names() == ["first", "second", "third"]
    assert Extractor.load("third", threads=1).name == "set"
    # Another model of the same name is not taken for the one that the set was made with.
    (shelf / "second" / "README.md").write_text("changed", "utf-8")
    bundle_module.write_manifest(shelf / "second")
    with pytest.raises(ModelError, match="made with another 'second'"):
        load_model_set(tmp_path / "set")
    shutil.rmtree(shelf / "second")
    with pytest.raises(ModelError, match="'second' does not ship with this installation"):
        load_model_set(tmp_path / "set")


def test_averaging_takes_the_same_members_for_both_answers(members, tmp_path):
    with pytest.raises(SettingsError, match="models for relations and others for novelty"):
        write_model_set(tmp_path / "set", members, members[:1], name="x", voting=AVERAGE)
    assert not (tmp_path / "set").exists()


def test_thresholds_that_cannot_be_are_explained(members, tmp_path):
    folder = averaging(tmp_path / "set", members)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["decision"]["threshold"] = 7
    revise_model_set(folder, {"config.json": json.dumps(config).encode()})
    with pytest.raises(ModelError, match="threshold is 7"):
        Extractor.load(folder)


def test_a_set_that_averages_teaches_its_mean(members, small_documents, tmp_path, capsys):
    """Not what its first member says."""
    write(small_documents, tmp_path / "more.jsonl")
    folder, output = averaging(tmp_path / "set", members), tmp_path / "soft.jsonl"
    code, _, err = run_command(capsys, "teach", tmp_path / "more.jsonl", "-m", folder, "-o", output)
    assert code == 0, err
    _, *lines = output.read_text("utf-8").splitlines()
    taught = {row["id"]: row for row in map(json.loads, lines)}
    singles = [list(Extractor.load(one, threads=1).scored(small_documents)) for one in members]
    compared = 0
    for entries in zip(*singles, strict=True):
        if not entries[0].pairs:
            continue
        mean = np.mean([softmax(one.joined().relation) for one in entries], axis=0)
        types = [pair.pair_type for pair in entries[0].pairs]
        mean = mean * legal_classes(types, BIORED)
        row = taught[entries[0].document.id]
        assert [tuple(sorted(pair)) for pair in row["pairs"]] == [
            tuple(sorted(pair.ids)) for pair in entries[0].pairs
        ]
        wanted = mean / mean.sum(1, keepdims=True)
        assert np.array(row["relation"]) == pytest.approx(wanted, abs=2e-4)
        compared += len(types)
    assert compared > 5
