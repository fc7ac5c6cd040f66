"""INDRA statements: the schema's rules, what maps, and what is counted as left out."""

from __future__ import annotations

import io
import json
from importlib.metadata import PackageNotFoundError, files

import pytest

from novelink.formats import open_writer


def written(documents):
    target = io.BytesIO()
    with open_writer(target, "indra") as writer:
        for document in documents:
            writer.write(document)
    return json.loads(target.getvalue()), writer.report


def indra_schema():
    """The schema that INDRA's own package carries, read without importing the package."""
    try:
        found = [file for file in files("indra") if file.name == "statements_schema.json"]
    except PackageNotFoundError:
        pytest.skip("indra is not installed (pip install --no-deps indra)")
    return json.loads(found[0].read_text(encoding="utf-8"))


def test_statements_are_valid_by_indras_own_schema(related):
    jsonschema = pytest.importorskip("jsonschema")
    statements, _ = written(related)
    validator = jsonschema.Draft6Validator(indra_schema())
    validator.validate(statements)
    # The schema does refuse what is wrong.
    assert list(validator.iter_errors([{**statements[0], "type": "Likes"}]))
    assert list(validator.iter_errors([{**statements[0], "id": 3}]))


def test_statements_have_the_documented_fields(related):
    """The same rules in our words, for where INDRA's package is not at hand."""
    statements, _ = written(related)
    for one in statements:
        assert isinstance(one["id"], str)
        assert 0 <= one["belief"] <= 1
        agents = {
            "Complex": lambda s: s["members"],
            "Activation": lambda s: [s["subj"], s["obj"]],
            "Inhibition": lambda s: [s["subj"], s["obj"]],
            "Conversion": lambda s: s["obj_from"] + s["obj_to"],
        }[one["type"]](one)
        assert len(agents) == 2
        for agent in agents:
            assert isinstance(agent["name"], str)
            assert all(isinstance(value, str) for value in agent["db_refs"].values())
        for evidence in one["evidence"]:
            assert evidence["source_api"] == "novelink"
            assert isinstance(evidence.get("pmid", ""), str)
            assert isinstance(evidence["annotations"], dict)
    assert len({one["id"] for one in statements}) == len(statements)


def test_types_map_as_documented_and_the_rest_is_counted(related):
    statements, report = written(related)
    kinds = [one["type"] for one in statements]
    assert kinds == ["Inhibition", "Complex", "Activation", "Conversion", "Activation", "Complex"]
    # Of two genes without a stated subject nobody knows which acts.
    lost = {loss.split()[0]: count for loss, count in report.losses.items()}
    assert lost == {
        "Positive_Correlation": 1,
        "Cotreatment": 1,
        "Drug_Interaction": 1,
        "Comparison": 1,
        "Association": 2,
    }
    assert len(statements) + sum(lost.values()) == sum(len(d.relations) for d in related)


def test_direction_is_the_stated_subject_or_the_usual_one_and_says_which(related):
    inhibition, _, activation, conversion, *_ = written(related)[0]
    # A chemical acts on a gene although the gene is named first.
    assert inhibition["subj"]["db_refs"]["MESH"] == "D990002"
    assert inhibition["obj"]["db_refs"]["EGID"] == "9901"
    assert inhibition["evidence"][0]["annotations"]["direction"] == "by entity types"
    assert activation["subj"]["db_refs"]["EGID"] == "9901"
    assert activation["evidence"][0]["annotations"]["direction"] == "stated"
    assert conversion["obj_from"][0]["name"] == "zelamine"


def test_evidence_has_the_sentences_and_the_paper(related):
    first = written(related)[0][0]
    assert [one["pmid"] for one in first["evidence"]] == ["24259561", "24259561"]
    assert first["evidence"][0]["text"].endswith('met "here".')
    last = written(related)[0][-1]
    assert last["evidence"][0]["source_id"] == "mine/1"


def test_no_relations_give_an_empty_list(related):
    assert written([])[0] == []
    assert written([related[0].with_relations(())])[0] == []
