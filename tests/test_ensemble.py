"""A set of models votes through the same ``extract`` as a single one, checked file by file."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from command_line import run_command
from novelink.decode import DecisionSettings, decide
from novelink.ensemble import MemberAnswer, joint_decisions
from novelink.errors import ModelError, SettingsError
from novelink.extractor import Extractor
from novelink.formats import write
from novelink.runtime.model_set import is_model_set, load_model_set, write_model_set
from novelink.schema import BIORED, DISEASE, GENE, Schema

PAIR_TYPES = [(DISEASE, GENE)] * 6
logits = arrays.arrays(np.float32, (6, 9), elements=st.floats(-6, 6, width=32))
novelties = arrays.arrays(np.float32, (6, 3), elements=st.floats(-6, 6, width=32))


@given(logits, novelties, st.floats(0, 1))
def test_a_set_of_one_decides_as_its_member(relation, novelty, threshold):
    settings = DecisionSettings(threshold=round(threshold, 2), relation_temperature=1.3)
    member = MemberAnswer(relation, novelty, settings)
    alone = decide(relation, novelty, PAIR_TYPES, BIORED, settings)
    joined = joint_decisions([member], [member], PAIR_TYPES, BIORED)
    for one, other in zip(joined, alone, strict=True):
        assert one.related == other.related
        assert one.score == pytest.approx(other.score, abs=1e-4)
        if one.related:
            assert one.type == other.type
        if abs((other.novelty_score or 0) - 0.5) > 1e-3:
            assert one.novelty == other.novelty


@given(st.lists(st.tuples(logits, novelties), min_size=3, max_size=3), st.permutations(range(3)))
def test_the_order_of_members_does_not_matter(answers, order):
    members = [MemberAnswer(*answer, DecisionSettings()) for answer in answers]
    given_order = joint_decisions(members, members, PAIR_TYPES, BIORED)
    other_order = joint_decisions(
        [members[place] for place in order],
        [members[place] for place in order],
        PAIR_TYPES,
        BIORED,
    )
    assert given_order == other_order


def test_members_vote_by_their_own_thresholds():
    """Two of three are sure enough by their own rule, though the mean is below a half."""
    row = np.full((1, 9), -9.0, np.float32)
    row[0, :2] = (1.0, 0.5)  # P(related) ≈ 0.38, of the first type
    sure, unsure = (DecisionSettings(threshold=threshold) for threshold in (0.3, 0.5))
    novelty = np.zeros((1, 3), np.float32)
    types = [(DISEASE, GENE)]
    members = [MemberAnswer(row, novelty, settings) for settings in (sure, sure, unsure)]
    (decision,) = joint_decisions(members, [], types, BIORED)
    assert decision.related
    assert decision.type == BIORED.relation_types[0]
    assert decision.novelty is None
    assert decision.score == pytest.approx(0.378, abs=0.01)
    (decision,) = joint_decisions(members, [], types, BIORED, min_score=0.5)
    assert not decision.related


@pytest.fixture(scope="module")
def members(tmp_path_factory, bundle_writer):
    """Three models of other random weights."""
    folder = tmp_path_factory.mktemp("members")
    return [bundle_writer(folder / f"m{seed}", name=f"m{seed}", seed=seed) for seed in (7, 8, 9)]


@pytest.fixture(scope="module")
def model_set(members, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets") / "three"
    write_model_set(folder, members, members[:2], name="three")
    return folder


def test_a_set_extracts_what_its_members_votes_give(model_set, members, small_documents):
    extractor = Extractor.load(model_set, threads=1)
    assert extractor.name == "three"
    assert extractor.schema == BIORED
    found = list(extractor.extract(small_documents))
    assert [document.id for document in found] == [document.id for document in small_documents]
    singles = [Extractor.load(member, threads=1) for member in members]
    scored = [list(single.scored(small_documents)) for single in singles]
    relations = 0
    for place, document in enumerate(found):
        entries = [rows[place] for rows in scored]
        if not entries[0].pairs:
            assert document.relations == ()
            continue
        answers = [
            MemberAnswer(entry.joined().relation, entry.joined().novelty, single.settings)
            for entry, single in zip(entries, singles, strict=True)
        ]
        types = [pair.pair_type for pair in entries[0].pairs]
        decisions = joint_decisions(answers, answers[:2], types, BIORED)
        wanted = [
            (*pair.ids, one.type, one.novelty, one.score)
            for pair, one in zip(entries[0].pairs, decisions, strict=True)
            if one.related
        ]
        assert [
            (one.id1, one.id2, one.type, one.novelty, one.score) for one in document.relations
        ] == wanted
        relations += len(wanted)
    assert extractor.report.relations == relations > 0
    assert extractor.report.documents == len(small_documents)


def test_threads_change_nothing(model_set, small_documents):
    one, two = (
        list(Extractor.load(model_set, threads=threads).extract(small_documents))
        for threads in (1, 2)
    )
    assert one == two


def test_a_lower_least_score_finds_more(model_set, small_documents):
    extractor = Extractor.load(model_set, threads=1)
    counts = []
    for least in (0.0, 0.5, 0.9):
        list(extractor.extract(small_documents, min_score=least))
        counts.append(extractor.report.relations)
    assert counts[0] == extractor.report.pairs
    assert counts == sorted(counts, reverse=True)


def test_a_set_gives_no_evidence(model_set, small_documents):
    with pytest.raises(ModelError, match="gives no evidence"):
        Extractor.load(model_set).extract(small_documents, evidence=True)


def test_a_set_that_votes_is_no_teacher(model_set, small_documents, tmp_path, capsys):
    """It would teach what its first member says."""
    with pytest.raises(ModelError, match="no probabilities of its own"):
        Extractor.load(model_set).scored(small_documents)
    write(small_documents, tmp_path / "more.jsonl")
    code, _, err = run_command(
        capsys, "teach", tmp_path / "more.jsonl", "-m", model_set, "-o", tmp_path / "soft.jsonl"
    )
    assert code == 1
    assert "'three' is a set of models that vote" in err
    assert not (tmp_path / "soft.jsonl").exists()


def test_a_changed_file_is_found(members, tmp_path):
    for name in ("config.json", "README.md", "members/01-m7/model.onnx"):
        folder = tmp_path / name.replace("/", "-")
        write_model_set(folder, members[:1], name="one")
        with (folder / name).open("ab") as out:
            out.write(b" ")
        with pytest.raises(ModelError, match=r"differs|has \d+ bytes"):
            load_model_set(folder)


def test_a_members_manifest_is_part_of_the_set(members, tmp_path):
    """A member that was exchanged whole, manifest and all, is not the one that was put in."""
    import shutil

    write_model_set(tmp_path / "set", members[:2], name="two")
    shutil.rmtree(tmp_path / "set" / "members" / "01-m7")
    shutil.copytree(members[2], tmp_path / "set" / "members" / "01-m7")
    with pytest.raises(ModelError, match="differs from the manifest"):
        load_model_set(tmp_path / "set")


def test_members_must_share_a_schema(members, bundle_writer, tmp_path):
    schema = Schema("other", (GENE, DISEASE), ("Linked",), {(DISEASE, GENE): ("Linked",)})
    other = bundle_writer(tmp_path / "other", name="other", schema=schema)
    with pytest.raises(ModelError, match="Members of a set must have the same relation types"):
        write_model_set(tmp_path / "set", [members[0], other], name="mixed")
    assert not (tmp_path / "set").exists()


def with_tasks(folder, tasks, main="relation"):
    """Say in a model's configuration what it was trained for."""
    from novelink.runtime.bundle import write_manifest

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["tasks"] = tasks
    config["training"] = {"settings": {"tasks": {"main": main}}}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    write_manifest(folder)
    return folder


def test_a_novelty_model_joins_but_does_not_answer_alone(
    members, bundle_writer, small_documents, tmp_path
):
    lone = with_tasks(bundle_writer(tmp_path / "tnt", name="tnt"), ["novelty"], "novelty")
    with pytest.raises(ModelError, match="judges novelty only"):
        Extractor.load(lone).extract(small_documents)
    with pytest.raises(ModelError, match="was not trained for relation"):
        write_model_set(tmp_path / "wrong", [lone], name="wrong")
    write_model_set(tmp_path / "set", members[:1], [lone], name="pair")
    found = list(Extractor.load(tmp_path / "set").extract(small_documents, min_score=0.0))
    assert {one.novelty for document in found for one in document.relations} <= {"Novel", "No"}


def test_without_novelty_votes_relations_carry_none(bundle_writer, small_documents, tmp_path):
    lone = with_tasks(bundle_writer(tmp_path / "re", name="re"), ["relation"])
    alone = list(Extractor.load(lone).extract(small_documents, min_score=0.0))
    write_model_set(tmp_path / "set", [lone], name="one")
    joined = list(Extractor.load(tmp_path / "set").extract(small_documents, min_score=0.0))
    for found in (alone, joined):
        assert {one.novelty for document in found for one in document.relations} == {None}


def test_an_existing_folder_is_kept(members, tmp_path):
    with pytest.raises(SettingsError, match="exists"):
        write_model_set(tmp_path, members, name="x")
    with pytest.raises(SettingsError, match=r"unknown voting method 'first'.*majority, mean"):
        write_model_set(tmp_path / "set", members, name="x", voting="first")


def test_the_command_sorts_members_by_their_main_task(members, bundle_writer, tmp_path, capsys):
    tnt = with_tasks(bundle_writer(tmp_path / "tnt", name="tnt"), ["novelty"], "novelty")
    code, out, err = run_command(
        capsys, "ensemble", *members, tnt, "-o", tmp_path / "set", "--voting", "mean"
    )
    assert (code, out) == (0, "")
    assert "3 models for relations, 1 for novelty (mean" in err
    assert is_model_set(tmp_path / "set")
    models = load_model_set(tmp_path / "set")
    assert [bundle.name for bundle in models.relation] == ["m7", "m8", "m9"]
    assert [bundle.name for bundle in models.novelty] == ["tnt"]
    assert run_command(capsys, "ensemble", tnt, "-o", tmp_path / "none")[0] == 2


def test_models_info_and_verify_know_sets(model_set, capsys):
    code, out, _ = run_command(capsys, "models", "info", model_set)
    assert code == 0
    assert "three: a set of models" in out
    assert "relation: 01-m7, 02-m8, 03-m9" in out
    code, out, _ = run_command(capsys, "models", "verify", model_set)
    assert code == 0
    assert "graph and tokenizer open" in out
    code, out, _ = run_command(capsys, "models", "info", model_set, "--json")
    assert json.loads(out)["config"]["voting"] == "majority"
