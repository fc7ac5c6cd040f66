"""Which entity types, relation types and pairs exist.

:data:`BIORED` is the default. Another corpus brings its own as a TOML file:

.. code-block:: toml

    name = "cdr"
    entity_types = ["Chemical", "Disease"]
    relation_types = ["CID"]
    has_novelty = false

    [[pairs]]
    types = ["Chemical", "Disease"]
    relations = ["CID"]

    [aliases]            # other names of the entity types, case-sensitive
    ChemicalEntity = "Chemical"
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from novelink.errors import SettingsError
from novelink.toml_file import read_toml

if TYPE_CHECKING:
    from pathlib import Path

NO_RELATION = "None"
"""The class of unrelated pairs; never written to files."""

PairType = tuple[str, str]
"""Two entity types in alphabetical order."""


def pair_type(type1: str, type2: str) -> PairType:
    """The unordered pair of two entity types."""
    return (type1, type2) if type1 <= type2 else (type2, type1)


@dataclass(frozen=True)
class Schema:
    """The vocabulary of a corpus.

    Attributes:
        name: shown in reports and model cards.
        entity_types: names, in the order of the report tables.
        relation_types: names; a model's relation classes are these after
            :data:`NO_RELATION`.
        pairs: legal pair type → relation types it takes, commonest first.
        aliases: other names of entity types → names here.
        ignored_types: entity types of other vocabularies that readers leave
            out and count.
        has_novelty: whether relations carry Novel / No.
        has_direction: whether a relation can have a subject, which acts on the
            other entity.
    """

    name: str
    entity_types: tuple[str, ...]
    relation_types: tuple[str, ...]
    pairs: dict[PairType, tuple[str, ...]]
    aliases: dict[str, str] = field(default_factory=dict)
    ignored_types: frozenset[str] = frozenset()
    has_novelty: bool = True
    has_direction: bool = True

    def __post_init__(self) -> None:
        for types, relations in self.pairs.items():
            if types != pair_type(*types):
                raise SettingsError(
                    f"schema {self.name}: pair {types} is not in alphabetical order"
                )
            for name in types:
                if name not in self.entity_types:
                    raise SettingsError(
                        f"schema {self.name}: pair {types} names the unknown entity type '{name}'",
                        remedy=f"Entity types are: {', '.join(self.entity_types)}",
                    )
            for name in relations:
                if name not in self.relation_types:
                    raise SettingsError(
                        f"schema {self.name}: pair {types} takes the unknown relation '{name}'",
                        remedy=f"Relation types are: {', '.join(self.relation_types)}",
                    )
        for alias, name in self.aliases.items():
            if name not in self.entity_types:
                raise SettingsError(
                    f"schema {self.name}: alias '{alias}' stands for the unknown type '{name}'"
                )

    @property
    def relation_labels(self) -> tuple[str, ...]:
        """Relation classes of a model: no relation first, then the types."""
        return (NO_RELATION, *self.relation_types)

    @property
    def novelty_labels(self) -> tuple[str, ...]:
        """Novelty classes of a model: no relation, No, Novel."""
        return (NO_RELATION, "No", "Novel")

    @property
    def pair_types(self) -> tuple[PairType, ...]:
        """Legal pair types, in the schema's order: the classes of pair typing."""
        return tuple(self.pairs)

    def entity_type(self, name: str) -> str | None:
        """The type a name stands for, or None where it is not known."""
        return name if name in self.entity_types else self.aliases.get(name)

    def short_name(self, entity_type: str) -> str:
        """As :func:`short_name`; of types other than BioRED's the first alias if it is shorter."""
        if entity_type in SHORT_NAMES:
            return SHORT_NAMES[entity_type]
        aliases = (alias for alias, home in self.aliases.items() if home == entity_type)
        first = next(aliases, entity_type)
        return short_name(first if len(first) < len(entity_type) else entity_type)

    def is_legal(self, type1: str, type2: str) -> bool:
        """Whether entities of these two types can be related."""
        return pair_type(type1, type2) in self.pairs

    def relations_of(self, type1: str, type2: str) -> tuple[str, ...]:
        """Relation types that a pair of entity types takes; none if illegal."""
        return self.pairs.get(pair_type(type1, type2), ())

    def to_dict(self) -> dict[str, Any]:
        """The schema as the TOML file has it (also valid JSON)."""
        return {
            "name": self.name,
            "entity_types": list(self.entity_types),
            "relation_types": list(self.relation_types),
            "has_novelty": self.has_novelty,
            "has_direction": self.has_direction,
            "ignored_types": sorted(self.ignored_types),
            "pairs": [
                {"types": list(types), "relations": list(relations)}
                for types, relations in self.pairs.items()
            ],
            "aliases": dict(self.aliases),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any], *, source: str | None = None) -> Schema:
        """A schema from a parsed TOML or JSON file.

        Raises:
            SettingsError: a key is missing or unknown, or types do not fit.
        """
        known = {
            "name",
            "entity_types",
            "relation_types",
            "has_novelty",
            "has_direction",
            "ignored_types",
            "pairs",
            "aliases",
        }
        unknown = sorted(set(data) - known)
        if unknown:
            raise SettingsError(
                f"unknown key '{unknown[0]}' in a schema",
                source=source,
                remedy=f"Keys are: {', '.join(sorted(known))}",
            )
        try:
            pairs = {
                pair_type(*map(str, entry["types"])): tuple(map(str, entry["relations"]))
                for entry in data["pairs"]
            }
            return cls(
                name=str(data["name"]),
                entity_types=tuple(map(str, data["entity_types"])),
                relation_types=tuple(map(str, data["relation_types"])),
                pairs=pairs,
                aliases={str(key): str(value) for key, value in data.get("aliases", {}).items()},
                ignored_types=frozenset(map(str, data.get("ignored_types", ()))),
                has_novelty=bool(data.get("has_novelty", True)),
                has_direction=bool(data.get("has_direction", True)),
            )
        except KeyError as error:
            raise SettingsError(
                f"a schema needs the key {error}", source=source, remedy="See docs/schemas.md"
            ) from error
        except (TypeError, AttributeError) as error:
            raise SettingsError(
                f"a schema's tables have the wrong shape ({error})",
                source=source,
                remedy="See docs/schemas.md",
            ) from error


def schema_for_model(wanted: Schema | None, known: Schema, model: str) -> Schema:
    """The schema to read documents by for a model.

    Args:
        wanted: the user's, None where there is none.
        known: the model's.
        model: its name, for messages.

    Returns:
        The user's, which may have other aliases, or the model's.

    Raises:
        SettingsError: the user's has an entity type that the model does not know.
    """
    for name in wanted.entity_types if wanted else ():
        if name not in known.entity_types:
            raise SettingsError(
                f"the model '{model}' does not know the entity type '{name}'",
                remedy=f"It knows {', '.join(known.entity_types)}; in the schema file name others "
                "under [aliases]",
            )
    return wanted or known


def load_schema(path: str | Path) -> Schema:
    """Read a schema from a TOML file.

    Raises:
        SettingsError: the file cannot be read or holds no schema.
    """
    data = read_toml(path, "the schema")
    return Schema.from_dict(data, source=str(path))


GENE = "GeneOrGeneProduct"
DISEASE = "DiseaseOrPhenotypicFeature"
CHEMICAL = "ChemicalEntity"
VARIANT = "SequenceVariant"
SPECIES = "OrganismTaxon"
CELL_LINE = "CellLine"

SHORT_NAMES = {
    GENE: "Gene",
    DISEASE: "Disease",
    CHEMICAL: "Chemical",
    VARIANT: "Variant",
    SPECIES: "Species",
    CELL_LINE: "Cell line",
}
"""BioRED's entity types as people call them."""


def short_name(entity_type: str) -> str:
    """An entity type as tables and pages call it: ``Gene`` for ``GeneOrGeneProduct``."""
    return SHORT_NAMES.get(entity_type, entity_type.replace("_", " "))


BIORED = Schema(
    name="biored",
    entity_types=(GENE, DISEASE, CHEMICAL, VARIANT, SPECIES, CELL_LINE),
    relation_types=(
        "Association",
        "Positive_Correlation",
        "Negative_Correlation",
        "Bind",
        "Conversion",
        "Cotreatment",
        "Comparison",
        "Drug_Interaction",
    ),
    # Each pair's relation types are those that BioRED's 600 documents hold (Luo et al. 2022).
    pairs={
        pair_type(GENE, GENE): (
            "Association",
            "Positive_Correlation",
            "Negative_Correlation",
            "Bind",
        ),
        pair_type(DISEASE, GENE): (
            "Association",
            "Negative_Correlation",
            "Positive_Correlation",
        ),
        pair_type(CHEMICAL, GENE): (
            "Association",
            "Negative_Correlation",
            "Positive_Correlation",
            "Bind",
            "Cotreatment",
        ),
        pair_type(DISEASE, VARIANT): (
            "Association",
            "Positive_Correlation",
            "Negative_Correlation",
        ),
        pair_type(CHEMICAL, DISEASE): (
            "Positive_Correlation",
            "Negative_Correlation",
            "Association",
        ),
        pair_type(CHEMICAL, CHEMICAL): (
            "Negative_Correlation",
            "Association",
            "Positive_Correlation",
            "Cotreatment",
            "Comparison",
            "Drug_Interaction",
            "Conversion",
            "Bind",
        ),
        pair_type(CHEMICAL, VARIANT): (
            "Association",
            "Positive_Correlation",
            "Negative_Correlation",
        ),
        pair_type(VARIANT, VARIANT): ("Association",),
    },
    aliases={
        # PubTator 3 and BioCreative VIII
        "Gene": GENE,
        "Disease": DISEASE,
        "Chemical": CHEMICAL,
        "Species": SPECIES,
        "Variant": VARIANT,
        "Mutation": VARIANT,
        "ProteinMutation": VARIANT,
        "DNAMutation": VARIANT,
        "DNAAllele": VARIANT,
        "ProteinAllele": VARIANT,
        "AcidChange": VARIANT,
        "SNP": VARIANT,
        "OtherMutation": VARIANT,
        "CopyNumberVariant": VARIANT,
        "Organism": SPECIES,
        "Cell_Line": CELL_LINE,
        "Cellline": CELL_LINE,
    },
    ignored_types=frozenset(
        {"Chromosome", "Genus", "Strain", "FamilyName", "DomainMotif", "RefSeq", "GenomicRegion"}
    ),
)
