"""BioC XML and JSON: the forms of BioRED, PubTator 3, BC5CDR, E-utilities and BioC itself."""

from __future__ import annotations

import io
import json

import pytest

from novelink.document import Document, Evidence, Mention, Passage, Relation
from novelink.errors import DataError
from novelink.formats import ReadReport, read, write
from novelink.schema import BIORED, CHEMICAL, DISEASE, GENE, VARIANT, Schema

TITLE, ABSTRACT = "BRAF V600E drives melanoma.", "Vemurafenib inhibits it; 7q34."


def parse(data, name="bioc-json", **options):
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return list(read(io.BytesIO(raw), name, **options))


def annotation(text, kind, start=None, **infons):
    start = f"{TITLE} {ABSTRACT}".index(text) if start is None else start
    return {
        "id": str(start),
        "infons": {"type": kind, **infons},
        "text": text,
        "locations": [{"offset": start, "length": len(text)}],
    }


def pubtator3_document():
    """A document in the form of PubTator 3's export, text and ids our own choice."""
    variant = "tmVar:p|SUB|V|600|E;HGVS:p.V600E;VariantGroup:0;CorrespondingGene:673;RS#:113488022"
    return {
        "_id": "77|None",
        "id": "77",
        "infons": {},
        "passages": [
            {
                "infons": {"type": "title", "section": "Title"},
                "offset": 0,
                "text": TITLE,
                "sentences": [],
                "annotations": [
                    annotation("BRAF", "Gene", identifier=None, normalized_id=673, valid=True),
                    annotation("V600E", "Variant", identifier=variant, subtype="ProteinMutation"),
                    annotation("melanoma", "Disease", identifier="MESH:D008545"),
                ],
                "relations": [],
            },
            {
                "infons": {"type": "abstract"},
                "offset": len(TITLE) + 1,
                "text": ABSTRACT,
                "annotations": [
                    annotation("Vemurafenib", "Chemical", identifier="MESH:D000077484"),
                    annotation("7q34", "Chromosome", identifier="7q34"),
                ],
                "relations": [],
            },
        ],
        "annotations": [],
        "relations": [
            {
                "id": "R1",
                "infons": {
                    "role1": {"identifier": "MESH:D000077484", "type": "Chemical"},
                    "role2": {"identifier": "673", "type": "Gene", "normalized_id": 673},
                    "type": "Negative_Correlation",
                    "score": "0.9875",
                },
                "nodes": [],
            },
            {
                "id": "R2",
                "infons": {
                    "role1": {"identifier": variant, "type": "Variant"},
                    "role2": {"normalized_id": 673, "type": "Gene"},
                    "type": "associate",
                    "score": "",
                },
            },
        ],
        "pmid": 77,
        "pmcid": None,
        "journal": "J Tests",
        "year": 2024,
        "authors": ["Ada L", "Alan T"],
        "relations_display": [{"name": "x"}],
    }


def test_pubtator_3s_form():
    """Top key, int ids, variant records, role objects, string scores, extra keys."""
    report = ReadReport()
    (found,) = parse({"PubTator3": [pubtator3_document()]}, report=report)
    assert found.id == "77"
    assert [(m.text, m.type, m.concept_ids) for m in found.mentions] == [
        ("BRAF", GENE, ("673",)),
        ("V600E", VARIANT, ("rs113488022",)),
        ("melanoma", DISEASE, ("D008545",)),
        ("Vemurafenib", CHEMICAL, ("D000077484",)),
    ]
    assert found.relations == (
        Relation("D000077484", "673", "Negative_Correlation", None, 0.9875),
        Relation("rs113488022", "673", "Association"),
    )
    assert report.ignored_types == {"Chromosome": 1}
    assert dict(found.infons) == {
        "pmid": "77",
        "journal": "J Tests",
        "year": "2024",
        "authors": "Ada L; Alan T",
    }
    assert [passage.type for passage in found.passages] == ["title", "abstract"]


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda one: {"documents": [one]}, id="collection"),
        pytest.param(lambda one: {"documents": [one], "source": "after"}, id="keys after it"),
        pytest.param(lambda one: {"PubTator3": [one]}, id="PubTator 3"),
        pytest.param(lambda one: [{"source": "", "documents": [one]}], id="list of collections"),
        pytest.param(lambda one: [one], id="list of documents"),
        pytest.param(lambda one: one, id="a bare document"),
    ],
)
def test_every_frame_around_documents(wrap):
    plain = parse({"documents": [pubtator3_document()]})
    assert parse(wrap(pubtator3_document())) == plain


def test_documents_one_after_another_without_a_frame():
    """PubTator Central exported one JSON document per line."""
    lines = [pubtator3_document() | {"id": name} for name in ("1", "2")]
    data = "\n".join(map(json.dumps, lines)).encode()
    assert [document.id for document in parse(data)] == ["1", "2"]
    assert [document.id for document in read(io.BytesIO(data))] == ["1", "2"]


@pytest.mark.parametrize("documents", [{"documents": []}, [], {"PubTator3": []}])
def test_frames_without_documents(documents):
    assert parse(documents) == []


def test_untyped_passages_of_biored_json_are_title_and_abstract():
    (found,) = parse(
        {"id": "1", "passages": [{"offset": 0, "text": "A."}, {"offset": 3, "text": "B."}]}
    )
    assert found == Document.from_text("1", "A.", "B.")


def test_a_missing_passage_text_is_joined_from_sentences():
    sentences = [
        {"offset": 0, "text": "TP53 acts.", "annotations": [annotation("TP53", "Gene", 0)]},
        {"offset": 12, "text": "So it is.", "relations": []},
    ]
    (found,) = parse({"id": "1", "passages": [{"offset": 0, "sentences": sentences}]})
    assert found.text == "TP53 acts.  So it is."
    assert [mention.text for mention in found.mentions] == ["TP53"]


def test_several_locations_are_parts_of_one_mention():
    """Its text is the parts joined by one blank, whatever blanks the file has there."""
    gapped = annotation("A C", "Gene", 0, identifier="1")
    gapped["locations"] = [{"offset": 0, "length": 1}, {"offset": 4, "length": 1}]
    for said in ("A C", "A  C", None):
        gapped["text"] = said
        (found,) = parse(
            {"id": "1", "passages": [{"offset": 0, "text": "A B C", "annotations": [gapped]}]}
        )
        assert found.mentions == (Mention(0, 5, "A C", GENE, ("1",), ((0, 1), (4, 5))),)


def relation_document(relation, **more):
    passage = {
        "offset": 0,
        "text": "TP53 EGFR x",
        "annotations": [
            annotation("TP53", "Gene", 0, identifier="7157") | {"id": "T1"},
            annotation("EGFR", "Gene", 5, identifier="1956") | {"id": "T2"},
            annotation("x", "Gene", 10) | {"id": "T3"},
        ],
    }
    if more.get("in_passage"):
        return {"id": "1", "passages": [passage | {"relations": [relation]}]}
    return {"id": "1", "passages": [passage], "relations": [relation]}


PAIR = Relation("7157", "1956", "Bind", "No")
NODES = [{"refid": "T1", "role": "head"}, {"refid": "T2", "role": "tail"}]


@pytest.mark.parametrize(
    ("infons", "nodes"),
    [
        pytest.param({"entity1": "7157", "entity2": "1956"}, [], id="BioRED"),
        pytest.param({"role1": "Gene|7157", "role2": "Gene|1956"}, [], id="PubTator 3 XML"),
        pytest.param({"role1": "7157", "role2": "1956"}, [], id="bare roles"),
        pytest.param({}, NODES, id="nodes"),
    ],
)
@pytest.mark.parametrize("in_passage", [False, True])
def test_every_form_of_relation(infons, nodes, in_passage):
    relation = {"id": "R0", "infons": {"type": "Bind", "novel": "No", **infons}, "nodes": nodes}
    (found,) = parse(relation_document(relation, in_passage=in_passage))
    assert found.relations == (PAIR,)


def test_a_role_that_is_a_variant_keeps_its_bars():
    relation = {"infons": {"type": "Bind", "role1": "Variant|p|SUB|V|600|E", "role2": "7157"}}
    (found,) = parse(relation_document(relation))
    assert found.relations[0].id1 == "p|SUB|V|600|E"


def test_relations_of_mentions_without_ids_are_counted():
    report = ReadReport()
    relation = {"infons": {"type": "Bind"}, "nodes": [{"refid": "T1"}, {"refid": "T3"}]}
    (found,) = parse(relation_document(relation), report=report)
    assert found.relations == ()
    assert report.notes == {"relations of mentions without a concept id left out": 1}


def test_relations_of_many_nodes_are_counted():
    report = ReadReport()
    relation = {"infons": {"type": "Bind"}, "nodes": [{"refid": "T1"}] * 3}
    (found,) = parse(relation_document(relation), report=report)
    assert found.relations == ()
    assert report.notes == {"relations of more than two nodes left out": 1}


def test_our_own_infons_of_relations():
    infons = {
        "entity1": "7157",
        "entity2": "1956",
        "type": "Bind",
        "novel": "No",
        "score": "0.5",
        "novelty_score": "0.25",
        "subject": "1956",
        "evidence": "0-4:0.75 5-9:0.25",
    }
    (found,) = parse(relation_document({"infons": infons}))
    evidence = (Evidence(0, 4, 0.75), Evidence(5, 9, 0.25))
    assert found.relations == (Relation("7157", "1956", "Bind", "No", 0.5, 0.25, "1956", evidence),)


CDR = Schema(
    name="cdr",
    entity_types=("Chemical", "Disease"),
    relation_types=("CID",),
    pairs={("Chemical", "Disease"): ("CID",)},
    has_novelty=False,
)


def test_bc5cdrs_form_with_its_own_schema():
    """Ids in infons named by vocabulary, relations in infons named by entity types."""
    data = b"""<?xml version='1.0' encoding='UTF-8'?><!DOCTYPE collection SYSTEM 'BioC.dtd'>
<collection><source>x</source><date>0/0/0</date><key>x.key</key>
<document><id>5</id><passage><infon key="type">title</infon><offset>0</offset>
<text>Aspirin and asthma &#x3B2;.</text>
<annotation id='0'><infon key="type">Chemical</infon><infon key="MESH">D001241</infon>
<location offset='0' length='7' /><text>Aspirin</text></annotation>
<annotation id='1'><infon key="type">Disease</infon><infon key="MESH">-1</infon>
<location offset='12' length='6' /><text>asthma</text></annotation>
</passage>
<relation id='R0'><infon key="relation">CID</infon><infon key="Chemical">D001241</infon>
<infon key="Disease">D001249</infon></relation>
</document></collection>"""
    (found,) = parse(data, "bioc-xml", schema=CDR)
    assert found.text == "Aspirin and asthma β."
    assert [(m.type, m.concept_ids) for m in found.mentions] == [
        ("Chemical", ("D001241",)),
        ("Disease", ()),
    ]
    assert found.relations == (Relation("D001241", "D001249", "CID"),)


def test_xml_nodes_sentences_and_document_annotations():
    data = b"""<collection><document><id> 5 </id><infon key="journal">J</infon>
<passage><infon key="section">S</infon><offset>0</offset><text>TP53 binds EGFR.</text>
<sentence><offset>0</offset><text>TP53 binds EGFR.</text>
<annotation id="A"><infon key="type">Gene</infon><infon key="identifier">7157</infon>
<location offset="0" length="4"/><text>TP53</text></annotation></sentence></passage>
<annotation id="B"><infon key="type">Gene</infon><infon key="identifier">1956</infon>
<location offset="11" length="4"/></annotation>
<relation id="R"><infon key="type">Bind</infon><node refid="A" role=""/><node refid="B" role=""/>
</relation></document></collection>"""
    (found,) = parse(data, "bioc-xml")
    assert found == Document(
        "5",
        (Passage(0, "TP53 binds EGFR.", "", (("section", "S"),)),),
        (Mention(0, 4, "TP53", GENE, ("7157",)), Mention(11, 15, "EGFR", GENE, ("1956",))),
        (Relation("7157", "1956", "Bind"),),
        (("journal", "J"),),
    )


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_xml_in_other_encodings(encoding):
    text = (
        f"<?xml version='1.0' encoding='{encoding}'?><collection><document><id>1</id>"
        "<passage><offset>0</offset><text>naïve</text></passage></document></collection>"
    )
    (found,) = read(io.BytesIO(text.encode(encoding)))
    assert found.text == "naïve"


def test_the_dtd_is_not_fetched(tmp_path):
    """A DOCTYPE that names a file is legal BioC; the file is never opened."""
    dtd = tmp_path / "BioC.dtd"
    dtd.write_text("this is no DTD at all <<<")
    data = (
        f'<!DOCTYPE collection SYSTEM "{dtd}"><collection><document><id>1</id><passage>'
        "<offset>0</offset><text>A</text></passage></document></collection>"
    ).encode()
    assert parse(data, "bioc-xml") == [Document("1", (Passage(0, "A"),))]


def test_a_document_longer_than_any_buffer():
    """Its parts are put together again, in XML and in JSON."""
    long = "β-catenin & <more> " * 150_000
    document = Document("1", (Passage(0, long),))
    for name in ("bioc-xml", "bioc-json", "jsonl"):
        stream = io.BytesIO()
        write([document], stream, name)
        stream.seek(0)
        assert list(read(stream, name)) == [document]


def test_lines_of_errors_count_through_long_files():
    """The line is that of the bad document even after many buffers."""
    documents = [
        {"id": str(number), "passages": [{"offset": 0, "text": "x" * 500}]} for number in range(900)
    ]
    documents[700]["passages"][0]["offset"] = None
    data = ("[\n" + ",\n".join(map(json.dumps, documents)) + "\n]").encode()
    report = ReadReport()
    assert len(parse(data, lenient=True, report=report)) == 899
    assert report.reasons[0].startswith("<stream>:702: document 700 ")


def test_schemas_without_biored_types_do_not_take_pubtators_verbs():
    assert "Association" in BIORED.relation_types
    with pytest.raises(DataError, match="unknown relation type 'associate'"):
        parse(relation_document({"infons": {"type": "associate"} | ENTITIES}), schema=GENES)


ENTITIES = {"entity1": "7157", "entity2": "1956"}
GENES = Schema(name="genes", entity_types=("Gene",), relation_types=("Bind",), pairs={})
