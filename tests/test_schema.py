"""Schemas: BioRED's, and those of users from TOML files."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novelink.errors import SettingsError
from novelink.schema import (
    BIORED,
    CHEMICAL,
    DISEASE,
    GENE,
    SPECIES,
    VARIANT,
    Schema,
    load_schema,
    pair_type,
)

CDR = """
name = "cdr"
entity_types = ["Chemical", "Disease"]
relation_types = ["CID"]
has_novelty = false
ignored_types = ["Gene"]

[[pairs]]
types = ["Disease", "Chemical"]
relations = ["CID"]

[aliases]
ChemicalEntity = "Chemical"
"""


def saved(tmp_path, text):
    path = tmp_path / "schema.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_biored_has_the_corpus_papers_types():
    """6 entity types, 8 relation types, 8 legal pair types (Luo et al. 2022)."""
    assert len(BIORED.entity_types) == 6
    assert len(BIORED.relation_types) == 8
    assert set(BIORED.pairs) == {
        pair_type(*types)
        for types in (
            (GENE, GENE),
            (GENE, DISEASE),
            (GENE, CHEMICAL),
            (DISEASE, VARIANT),
            (CHEMICAL, DISEASE),
            (CHEMICAL, CHEMICAL),
            (CHEMICAL, VARIANT),
            (VARIANT, VARIANT),
        )
    }
    assert not BIORED.is_legal(GENE, VARIANT)
    assert not BIORED.is_legal(DISEASE, DISEASE)
    assert not BIORED.is_legal(GENE, SPECIES)


@given(st.sampled_from(BIORED.entity_types), st.sampled_from(BIORED.entity_types))
def test_the_order_of_two_types_does_not_matter(first, second):
    assert BIORED.is_legal(first, second) == BIORED.is_legal(second, first)
    assert BIORED.relations_of(first, second) == BIORED.relations_of(second, first)
    assert bool(BIORED.relations_of(first, second)) == BIORED.is_legal(first, second)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Gene", GENE),
        ("Disease", DISEASE),
        ("Chemical", CHEMICAL),
        ("Species", SPECIES),
        ("Mutation", VARIANT),
        ("ProteinMutation", VARIANT),
        ("SNP", VARIANT),
        (GENE, GENE),
        ("gene", None),
        ("Chromosome", None),
    ],
)
def test_other_vocabularies_have_their_names_here(name, found):
    assert BIORED.entity_type(name) == found


def test_classes_of_a_model_follow_from_the_schema():
    assert BIORED.relation_labels == ("None", *BIORED.relation_types)
    assert BIORED.novelty_labels == ("None", "No", "Novel")
    assert BIORED.pair_types == tuple(BIORED.pairs)


def test_a_schema_survives_its_own_dictionary():
    assert Schema.from_dict(BIORED.to_dict()) == BIORED


def test_a_toml_file_is_a_schema(tmp_path):
    """Types of a pair may come in any order."""
    schema = load_schema(saved(tmp_path, CDR))
    assert schema == Schema(
        name="cdr",
        entity_types=("Chemical", "Disease"),
        relation_types=("CID",),
        pairs={("Chemical", "Disease"): ("CID",)},
        aliases={"ChemicalEntity": "Chemical"},
        ignored_types=frozenset({"Gene"}),
        has_novelty=False,
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("name =", "nmae ="), "unknown key 'nmae' in a schema. Keys are: aliases, "),
        (('name = "cdr"\n', ""), "a schema needs the key 'name'"),
        (('relations = ["CID"]', ""), "a schema needs the key 'relations'"),
        (('types = ["Disease", "Chemical"]', 'types = ["Disease"]'), "wrong shape"),
        (('types = ["Disease", "Chemical"]', 'types = ["Disease", "Drug"]'), "type 'Drug'"),
        (('relations = ["CID"]', 'relations = ["DIC"]'), "unknown relation 'DIC'"),
        (('ChemicalEntity = "Chemical"', 'X = "Drug"'), "alias 'X' stands for the unknown"),
        (("[aliases]", "[aliases"), "not a TOML file"),
    ],
)
def test_a_wrong_schema_says_what_is_wrong_with_its_file(change, words, tmp_path):
    path = saved(tmp_path, CDR.replace(*change))
    with pytest.raises(SettingsError, match=re.escape(words)) as caught:
        load_schema(path)
    assert caught.value.exit_code == 2


def test_a_missing_schema_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"none\.toml: cannot read the schema: No such file"):
        load_schema(tmp_path / "none.toml")


def test_the_documentations_schemas_load(tmp_path):
    """Each TOML block of docs/schemas.md that has a name is a whole schema."""
    page = (Path(__file__).parents[1] / "docs/schemas.md").read_text(encoding="utf-8")
    blocks = [
        block for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "name =" in block
    ]
    assert blocks
    for block in blocks:
        assert load_schema(saved(tmp_path, block)).name == tomllib.loads(block)["name"]
