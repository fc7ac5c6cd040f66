"""recipes/told.py brings another corpus's labels into a teacher's probabilities."""

from __future__ import annotations

import importlib.util
import json
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from novelink import Document, Mention, Relation, formats
from novelink.schema import BIORED, load_schema
from novelink.training.soft_labels import read_soft_labels

RECIPES = Path(__file__).parents[1] / "recipes"
CLASSES = list(BIORED.relation_labels)


@pytest.fixture(scope="module")
def recipe():
    spec = importlib.util.spec_from_file_location("told", RECIPES / "told.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def abstract(name, relations):
    mentions = (
        Mention(0, 4, "TP53", "GeneOrGeneProduct", ("7157",)),
        Mention(9, 15, "glioma", "DiseaseOrPhenotypicFeature", ("D005910",)),
        Mention(20, 27, "aspirin", "ChemicalEntity", ("D001241",)),
    )
    text = Document.from_text(name, "TP53 and glioma and aspirin", "")
    return replace(text, mentions=mentions).with_relations(relations)


@pytest.fixture
def run(recipe, tmp_path):
    def told(relations, pairs):
        """The recipe's probabilities of the pairs, the teacher's being all alike."""
        count = len(CLASSES)
        rows = {
            "id": "1",
            "pairs": pairs,
            "relation": [[1 / count] * count for _ in pairs],
            "novelty": [[1 / count, 2 / count, (count - 3) / count] for _ in pairs],
        }
        head = {
            "format": "novelink-soft-labels",
            "models": ["teacher"],
            "relation_labels": CLASSES,
            "novelty_labels": list(BIORED.novelty_labels),
        }
        lines = "".join(json.dumps(one) + "\n" for one in (head, rows))
        (tmp_path / "soft.jsonl").write_text(lines, encoding="utf-8")
        formats.write([abstract("1", relations)], tmp_path / "more.pubtator")
        files = [str(tmp_path / name) for name in ("soft.jsonl", "more.pubtator", "told.jsonl")]
        recipe.main([files[0], "--told", files[1], "-o", files[2]])
        labels = read_soft_labels(files[2], BIORED)
        schema = load_schema(str(RECIPES / "more-schema.toml"))
        (document,) = formats.read(files[1], schema=schema)
        assert document.id in labels
        _, line = Path(files[2]).read_text(encoding="utf-8").splitlines()
        return json.loads(line)

    return told


def column(recipe, label):
    return np.array(recipe.likelihoods(recipe.LIKELIHOODS, CLASSES)[label][1])


@pytest.mark.parametrize(
    ("relation", "pair"),
    [
        (Relation("D005910", "D001241", "CID"), ["D001241", "D005910"]),
        (Relation("7157", "D001241", "INHIBITOR"), ["7157", "D001241"]),
        (Relation("D001241", "7157", "PART-OF"), ["7157", "D001241"]),
    ],
)
def test_a_label_multiplies_what_the_teacher_said(recipe, run, relation, pair):
    found = run([relation], [pair])
    wanted = column(recipe, relation.type)
    assert found["relation"][0] == pytest.approx(wanted / wanted.sum(), abs=1e-5)
    none, old, new = found["novelty"][0]
    assert none == pytest.approx(found["relation"][0][0], abs=2e-5)
    assert none + old + new == pytest.approx(1, abs=2e-5)
    assert new / old == pytest.approx((len(CLASSES) - 3) / 2, rel=1e-3)


def test_a_pair_without_a_label_is_told_so_only_where_its_types_are_annotated(recipe, run):
    chemical, gene = run([], [["D001241", "D005910"], ["7157", "D005910"]])["relation"]
    wanted = column(recipe, "unlabelled")
    assert chemical == pytest.approx(wanted / wanted.sum(), abs=1e-5)
    assert gene == pytest.approx([1 / len(CLASSES)] * len(CLASSES))


def test_labels_without_a_pair_are_counted(run, capsys):
    run([Relation("D005910", "D001241", "CID")], [["7157", "D005910"]])
    assert "1 labels without a pair" in capsys.readouterr().err


def test_a_document_that_is_not_among_the_told_ones_stops_the_run(recipe, run, tmp_path):
    run([], [["7157", "D005910"]])
    formats.write([abstract("2", [])], tmp_path / "others.pubtator")
    files = [str(tmp_path / name) for name in ("soft.jsonl", "others.pubtator", "new.jsonl")]
    with pytest.raises(SystemExit, match=r"document 1 of .* is not in"):
        recipe.main([files[0], "--told", files[1], "-o", files[2]])
    assert not Path(files[2]).exists()


def test_every_label_of_the_other_corpora_has_likelihoods(recipe):
    schema = load_schema(str(RECIPES / "more-schema.toml"))
    table = recipe.likelihoods(recipe.LIKELIHOODS, CLASSES)
    assert set(table) == {*schema.relation_labels[1:], recipe.UNLABELLED}
    for label, (types, column) in table.items():
        assert all(0 < how <= 1 for how in column), label
        (pair,) = (pair for pair in schema.pairs if frozenset(pair) == types)
        assert label == recipe.UNLABELLED or label in schema.pairs[pair]
    named = {
        key for one in tomllib.loads(recipe.LIKELIHOODS.read_text("utf-8")).values() for key in one
    }
    assert named - {"types", "labels", "other"} <= set(CLASSES)
