"""Inputs to begin with, all of our own making: what a good file looks like, and what a bad one."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

from novelink.document import Document, Evidence, Mention, Relation
from novelink.formats import read, write
from novelink.schema import BIORED, CHEMICAL, DISEASE, GENE, VARIANT

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = (ROOT / "examples" / "abstracts.pubtator", ROOT / "examples" / "abstracts.json")
REGRESSIONS = ROOT / "tests" / "hostile" / "inputs"
"""Inputs that once were findings, a folder a target."""


def _documents() -> list[Document]:
    title, abstract = (
        "Bexin lowers GLOP3",
        "In mice with gutter disease Bexin (5 mg) lowered GLOP3.",
    )
    text = f"{title} {abstract}"

    def mention(form: str, kind: str, *ids: str, nth: int = 0) -> Mention:
        start = -1
        for _ in range(nth + 1):
            start = text.index(form, start + 1)
        return Mention(start, start + len(form), form, kind, ids)

    mentions = (
        mention("Bexin", CHEMICAL, "D990003"),
        mention("GLOP3", GENE, "9903", "9904"),
        mention("gutter disease", DISEASE, "D990001"),
        mention("Bexin", CHEMICAL, "D990003", nth=1),
        mention("5 mg", VARIANT),
    )
    relations = (
        Relation("D990003", "9903", "Negative_Correlation", "Novel", 0.9, 0.8, "D990003"),
        Relation("D990001", "9904", "Association", "No", evidence=(Evidence(19, 40, 0.5),)),
    )
    first = Document.from_text("1", title, abstract, mentions=mentions, relations=relations)
    second = Document.from_text("2", "Größe α → β: 😀 & <b>", "", mentions=())
    return [first, second]


def _written(name: str) -> bytes:
    stream = io.BytesIO()
    write(_documents(), stream, name)
    return stream.getvalue()


_PUBTATOR_3 = b"""3|t|Zelamine and ORFX1
3|a|Zelamine binds ORFX1; c.17A>G does not.
3\t0\t8\tZelamine\tChemical\tMESH:D990002
3\t13\t18\tORFX1\tGene\t9901
3\t41\t48\tc.17A>G\tDNAMutation\ttmVar:c|SUB|A|17|G;HGVS:c.17A>G;RS#:1234
3\tBind|0.93\tMESH:D990002\t9901\tNovel|0.7
3\tMESH:D990002\t9901\tSubject:MESH:D990002
3\tassociate\tMESH:D990002\t9901\t0.5
"""

_BIOC_NODES = b"""<?xml version="1.0"?><!DOCTYPE collection SYSTEM "BioC.dtd"><collection><source>s</source>
<document><id>4</id><infon key="year">2020</infon><passage><infon key="type">title</infon>
<offset>0</offset><sentence><offset>0</offset><text>Zelamine binds ORFX1</text>
<annotation id="T1"><infon key="type">Chemical</infon><infon key="identifier">MESH:D2</infon>
<location offset="0" length="8"/><text>Zelamine</text></annotation>
<annotation id="T2"><infon key="type">Gene</infon><infon key="identifier">9901</infon>
<location offset="15" length="3"/><location offset="18" length="2"/></annotation></sentence>
<relation id="R"><infon key="type">Bind</infon><node refid="T1" role=""/><node refid="T2"/></relation>
</passage></document></collection>
"""

_PUBTATOR3_JSON = {
    "PubTator3": [
        {
            "_id": "5|None",
            "id": "5",
            "infons": {},
            "passages": [
                {
                    "infons": {"type": "title", "year": "2020"},
                    "offset": 0,
                    "text": "Zelamine binds ORFX1",
                    "annotations": [
                        {
                            "id": "1",
                            "infons": {"identifier": "MESH:D2", "type": "Chemical"},
                            "text": "Zelamine",
                            "locations": [{"offset": 0, "length": 8}],
                        },
                        {
                            "id": "2",
                            "infons": {"identifier": ["9901"], "type": "Gene"},
                            "text": "ORFX1",
                            "locations": [{"offset": 15, "length": 5}],
                        },
                    ],
                    "relations": [],
                }
            ],
            "relations": [
                {
                    "id": "R1",
                    "infons": {
                        "role1": {"identifier": "MESH:D2", "type": "Chemical"},
                        "role2": "Gene|9901",
                        "type": "Bind",
                        "score": "0.99",
                    },
                    "nodes": [{"refid": "0", "role": "1,2"}],
                }
            ],
            "authors": ["A B"],
            "journal": "J",
        }
    ]
}

_PUBMED = b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE PubmedArticleSet PUBLIC "x" "y.dtd"><PubmedArticleSet><PubmedArticle><MedlineCitation>
<PMID Version="1">6</PMID><Article><Journal><JournalIssue><PubDate><Year>2020</Year></PubDate>
</JournalIssue><Title>J</Title></Journal><ArticleTitle>Zelamine in <i>mice</i>.</ArticleTitle>
<Abstract><AbstractText Label="RESULTS">It worked.</AbstractText></Abstract></Article>
</MedlineCitation><PubmedData><ArticleIdList><ArticleId IdType="pmc">PMC6</ArticleId></ArticleIdList>
</PubmedData></PubmedArticle><DeleteCitation><PMID>7</PMID></DeleteCitation></PubmedArticleSet>
"""

_MEDLINE = b"""PMID- 6
TI  - Zelamine lowers ORFX1 in mice and in
      men.
AB  - BACKGROUND: We gave zelamine to 24 mice. RESULTS: It worked (p < 0.05).
DP  - 2020 May
JT  - J

PMID- 7
TI  - Another.
"""

_TSV = b'id\ttitle\tabstract\na1\tZelamine lowers ORFX1.\tWe gave it.\na2\t"A ""b"""\tc\n'
_IDS = b"24259561\nPMC7696669 # a comment\npmid: 1\n"
_TEXT = b"""Zelamine lowers ORFX1 in mice.
We gave zelamine (cf. Fig. 2) to 24 mice, et al. Their ORFX1 fell by half.

RESULTS: p.V600E is common. E. coli is not... Objective. To study 2. glucose.
"""

_SCHEMA = b"""name = "t"
entity_types = ["A", "B"]
relation_types = ["R"]
has_novelty = false
[[pairs]]
types = ["A", "B"]
relations = ["R"]
[aliases]
Z = "A"
"""

_DECISION = {
    "document": "1",
    "id1": "D990003",
    "id2": "9903",
    "predicted": "Association",
    "predicted_novelty": "Novel",
    "score": 0.8,
    "action": "correct",
    "type": "Bind",
    "novelty": "No",
    "curator": "Ada",
    "time": "2026-01-31T12:00:00Z",
}


def _tar(members: dict[str, bytes], mode: str = "w", kind: int = tarfile.PAX_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode, format=kind) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "../../etc/passwd"
        archive.addfile(link)
    return stream.getvalue()


def _archives() -> list[bytes]:
    members = {"a.xml": _BIOC_NODES, "../b.pubtator": _PUBTATOR_3, "ü" * 90 + ".jsonl": b"{}\n"}
    return [
        b"\x00" + _tar(members),
        b"\x00" + _tar(members, kind=tarfile.GNU_FORMAT),
        b"\x01" + _tar(members, "w:gz"),
        b"\x00" + _tar({"c.xml.gz": gzip.compress(_BIOC_NODES, mtime=0)}),
        b"\x02" + gzip.compress(_written("bioc-xml"), mtime=0),
        b"\x03" + _PUBTATOR_3,
        b"\x03" + gzip.compress(_written("jsonl"), mtime=0)[:-5],
    ]


def _requests() -> list[bytes]:
    body = b'{"documents":' + b"[" + _written("jsonl").splitlines()[0] + b"]}"
    return [
        b"GET /v1/schema\n\n",
        b"GET /\naccept: text/html\n\n",
        b"GET /assets/page.css\n\n",
        b"GET /v1/gold?format=jsonl&incomplete=keep\n\n",
        b"GET /v1/jobs\nhost: [::1]\n\n",
        b"GET /metrics\nauthorization: Bearer x\ncookie: a=b\n\n",
        b"POST /v1/extract?min_score=0.5\ncontent-type: application/json\n\n" + body,
        b"POST /v1/extract?format=bioc-xml\ncontent-type: text/x-pubtator\n\n" + _PUBTATOR_3,
        b"POST /v1/extract\ncontent-type: text/plain\norigin: http://localhost\n\nA text. B.",
        b'POST /v1/extract?entities=given\ncontent-type: application/json\n\n{"text":"A b."}',
        b"PUT /v1/jobs/x/decisions\ncontent-type: application/json\n\n"
        + json.dumps(_DECISION).encode(),
        b"DELETE /v1/jobs/x/decisions\n\n",
        b"GET /v1/jobs/x/documents?format=parquet\n\n",
    ]


def _bodies() -> list[bytes]:
    documents = b"[" + b",".join(_written("jsonl").splitlines()) + b"]"
    return [
        b'\x00{"documents":' + documents + b"}",
        b'\x00{"pmids":["24259561","PMC1"]}',
        b'\x00{"text":"Zelamine lowers ORFX1. It does."}',
        b"\x00" + json.dumps(_PUBTATOR3_JSON).encode(),
        b"\x02" + _written("bioc-json"),
        b"\x01" + _TEXT,
        b"\x01" + _PUBMED,
        b"\x03" + _PUBTATOR_3,
        b"\x04" + _IDS,
    ]


def seeds(target: str) -> list[bytes]:
    """What a target begins with, the inputs of earlier findings included."""
    # Not imported above: that module is the one under instrumentation.
    from targets import SMALLEST_GRAPH, _model_parts

    parts = _model_parts()
    examples = [path.read_bytes()[:8_000] for path in EXAMPLES]
    kept = sorted((REGRESSIONS / target).glob("*")) if REGRESSIONS.is_dir() else []
    found: dict[str, list[bytes]] = {
        "pubtator": [_written("pubtator"), _PUBTATOR_3, examples[0]],
        "bioc-xml": [_written("bioc-xml"), _BIOC_NODES],
        "bioc-json": [_written("bioc-json"), json.dumps(_PUBTATOR3_JSON).encode()],
        "jsonl": [_written("jsonl"), b'{"id":1,"text":"A b. C."}\n{"id":2,"title":"A"}\n'],
        "pubmed-xml": [_PUBMED],
        "medline": [_MEDLINE],
        "text-tsv": [_TSV, b"a\tb\n", b"a\tb\tc\n"],
        "ids": [_IDS],
        "text": [_TEXT],
        "text-whole": [_TEXT],
        "any": [_PUBMED, _TSV, _IDS, _TEXT, _MEDLINE, _PUBTATOR_3, _BIOC_NODES, _written("jsonl"),
                _written("bioc-json"), gzip.compress(_TEXT, mtime=0), b"<html><title>x</title>"],
        "archive": _archives(),
        "splitting": [_BIOC_NODES, _written("bioc-xml"), _written("jsonl"), _PUBTATOR_3, _PUBMED],
        "rest-body": _bodies(),
        "request": _requests(),
        "model-config": [parts["config.json"]],
        "model-manifest": [b'{"format": 1, "files": {"README.md": {"sha256": "0", "size": 7}}}',
                           b'{"format": 2}', b'{"format": 1, "files": {"../x": {}}}'],
        "model-tokenizer": [parts["tokenizer.json"]],
        "model-graph": [SMALLEST_GRAPH],
        "model-set": [json.dumps({"format": 1, "name": "s", "reading": "set", "voting": "majority",
                                  "schema": BIORED.to_dict(),
                                  "members": {"relation": ["a"], "novelty": ["a"]}}).encode()],
        "schema": [_SCHEMA, json.dumps(BIORED.to_dict()).encode()],
        "decisions": [json.dumps({"format": "novelink-decisions", "version": 1,
                                  "decisions": [_DECISION]}).encode()],
    }  # fmt: skip
    return [*found[target], *(path.read_bytes() for path in kept)]


def check_own_seeds() -> None:
    """Good seeds are good: a seed that is refused at once leads nowhere."""
    for name in ("pubtator", "bioc-xml", "bioc-json", "jsonl"):
        for data in seeds(name)[:2]:
            assert list(read(io.BytesIO(data), name)), name
