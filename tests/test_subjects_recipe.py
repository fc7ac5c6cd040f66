"""recipes/subjects.py joins BioRED's relations with another file's subjects."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from novelink import Document, Mention, Relation, formats
from novelink.errors import DataError

RECIPE = Path(__file__).parents[1] / "recipes" / "subjects.py"


@pytest.fixture(scope="module")
def subjects():
    spec = importlib.util.spec_from_file_location("subjects", RECIPE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def document(relations):
    mentions = (
        Mention(0, 4, "TP53", "GeneOrGeneProduct", ("7157",)),
        Mention(9, 15, "glioma", "DiseaseOrPhenotypicFeature", ("D005910",)),
        Mention(20, 27, "aspirin", "ChemicalEntity", ("D001241",)),
    )
    text = Document.from_text("1", "TP53 and glioma and aspirin", "")
    return replace(text, mentions=mentions).with_relations(relations)


def test_a_pair_gets_its_subject_in_whichever_order_it_is_named(subjects, tmp_path, capsys):
    own = [
        Relation("7157", "D005910", "Association", "Novel"),
        Relation("D001241", "D005910", "Negative_Correlation", "No"),
    ]
    other = [Relation("D005910", "7157", "Association", "Novel", subject="7157")]
    formats.write([document(own)], tmp_path / "own.pubtator")
    formats.write([document(other)], tmp_path / "other.pubtator", subjects=True)
    target = tmp_path / "both.pubtator"
    own_file, other_file = str(tmp_path / "own.pubtator"), str(tmp_path / "other.pubtator")
    subjects.main([own_file, "--subjects", other_file, "-o", str(target)])
    (found,) = formats.read(target)
    assert [relation.subject for relation in found.relations] == ["7157", None]
    assert found.with_relations(()) == document(())
    assert [replace(one, subject=None) for one in found.relations] == own
    assert capsys.readouterr().err == "1 of 2 relations have a subject\n"


def test_a_document_without_counterpart_stops_the_run(subjects):
    with pytest.raises(DataError, match="document 1 is not in the file with subjects"):
        list(subjects.with_subjects([document([])], {}))
