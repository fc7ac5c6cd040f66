"""KGX: conformance to Biolink, files, identity."""

from __future__ import annotations

import csv
import io
import json
import tarfile

import pytest
from click.testing import CliRunner

from novelink.cli.convert import command
from novelink.exports.kgx import open_kgx
from novelink.formats import write

OWN_COLUMNS = {"novelty", "novelty_score"}
LISTS = {"category", "publications", "supporting_text"}
CLASSES = {
    "biolink:Gene": "Gene",
    "biolink:DiseaseOrPhenotypicFeature": "DiseaseOrPhenotypicFeature",
    "biolink:ChemicalEntity": "ChemicalEntity",
    "biolink:SequenceVariant": "SequenceVariant",
    "biolink:NamedThing": "NamedThing",
}


def read_tsv(text):
    """Rows as KGX reads them: lists split at bars, empty fields left out."""
    rows = csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
    return [
        {key: value.split("|") if key in LISTS else value for key, value in row.items() if value}
        for row in rows
    ]


def read_lines(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(params=["tsv", "jsonl"])
def graph(related, tmp_path, request):
    write(related, tmp_path / f"g.{request.param}", "kgx")
    reader = read_tsv if request.param == "tsv" else read_lines
    return [
        reader((tmp_path / f"g_{part}.{request.param}").read_text()) for part in ("nodes", "edges")
    ]


def test_nodes_and_edges_are_valid_instances_of_the_biolink_model(graph):
    """Against the pydantic classes that LinkML generates from the model; unknown slots fail."""
    model = pytest.importorskip(
        "biolink_model.datamodel.pydanticmodel_v2", reason="biolink-model is not installed"
    )
    nodes, edges = graph
    for node in nodes:
        (category,) = node["category"]
        getattr(model, CLASSES[category]).model_validate(node)
    for edge in edges:
        kept = {key: value for key, value in edge.items() if key not in OWN_COLUMNS}
        model.Association.model_validate(kept)


def test_predicates_and_prefixes_exist_in_the_biolink_model(graph):
    files = pytest.importorskip("importlib.resources").files
    pytest.importorskip("biolink_model", reason="biolink-model is not installed")
    yaml = pytest.importorskip("yaml")
    schema = files("biolink_model") / "schema" / "biolink_model.yaml"
    slots = yaml.load(
        schema.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )["slots"]

    def is_predicate(name):
        while name and name != "related to":
            assert not slots[name].get("deprecated"), name
            name = slots[name].get("is_a")
        return name == "related to"

    _, edges = graph
    for edge in edges:
        assert is_predicate(edge["predicate"].removeprefix("biolink:").replace("_", " "))


def test_every_edge_joins_nodes_and_says_where_it_comes_from(graph, related):
    nodes, edges = graph
    ids = [node["id"] for node in nodes]
    assert len(ids) == len(set(ids))
    assert all(edge["subject"] in ids and edge["object"] in ids for edge in edges)
    assert len({edge["id"] for edge in edges}) == len(edges)
    assert len(edges) == sum(len(document.relations) for document in related)
    assert edges[0]["publications"] == ["PMID:24259561"]
    assert edges[0]["agent_type"] == "text_mining_agent"
    assert edges[0]["knowledge_level"] == "not_provided"
    assert float(edges[0]["has_confidence_score"]) == 0.9
    assert edges[0]["novelty"] == "Novel"
    # A relation without a score was not necessarily mined by a machine.
    assert edges[-1]["agent_type"] == "not_provided"
    assert edges[-2]["publications"] == ["PMCID:PMC77"]
    # No bar of a text may be taken for the separator of a list.
    assert len(edges[0]["supporting_text"]) == 2
    names = {node["id"]: node["name"] for node in nodes}
    assert names["NCBIGene:9901"] == "ORFX1"
    assert "novelink:c%7CSUB%7CA%7C17%7CG" in names


def test_the_acting_entity_is_the_subject(graph):
    _, edges = graph
    stated = [e for e in edges if e["original_predicate"] == "biored:Positive_Correlation"][1]
    assert (stated["subject"], stated["object"]) == ("NCBIGene:9901", "NCBIGene:9902")


def test_streams_get_one_archive_with_the_same_files(related, tmp_path):
    write(related, tmp_path / "g.tsv", "kgx")
    target = io.BytesIO()
    write(related, target, "kgx")
    target.seek(0)
    with tarfile.open(fileobj=target) as archive:
        for part in ("nodes", "edges"):
            content = archive.extractfile(f"novelink_{part}.tsv").read()
            assert content == (tmp_path / f"g_{part}.tsv").read_bytes()


def test_the_same_documents_give_the_same_archive(related, tmp_path):
    for name in ("a.tar.gz", "b.tar.gz"):
        write(related, tmp_path / name, "kgx")
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()
    with tarfile.open(tmp_path / "a.tar.gz", "r:gz") as archive:
        assert archive.getnames() == ["novelink_nodes.tsv", "novelink_edges.tsv"]


def test_nothing_is_left_behind_when_writing_fails(related, tmp_path):
    def fail():
        with open_kgx(tmp_path / "graph") as writer:
            writer.write(related[0])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_convert_writes_two_files_beside_each_other(related, tmp_path):
    source = tmp_path / "in.jsonl"
    write(related, source)
    result = CliRunner().invoke(
        command, [str(source), "--to", "kgx", "-o", str(tmp_path / "graph")]
    )
    assert result.exit_code == 0, result.output
    assert (tmp_path / "graph_nodes.tsv").exists()
    assert (tmp_path / "graph_edges.tsv").exists()


def test_a_relation_that_is_there_twice_is_one_edge_and_counted(related, tmp_path):
    document = related[0].with_relations(related[0].relations[:1] * 2)
    report = write([document], tmp_path / "graph", "kgx")
    assert len((tmp_path / "graph_edges.tsv").read_text().splitlines()) == 2
    assert dict(report.losses) == {"repeated relations of one document": 1}
