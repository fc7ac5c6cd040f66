"""PubTator 3's export and raw-text service and PubMed's efetch, over real HTTP.

Papers are made up here. ``script`` holds answers that come before the ordinary
ones, first in, first out: ``server.script.append(Answer(429, headers=…))``.
"""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

BLOCKED = (
    b"<!DOCTYPE html>\n<html><head><title>WWW Error Blocked Diagnostic</title></head>"
    b"<body><h1>Access Denied</h1></body></html>"
)
HTML_400 = b"<html><head><title>400 Bad Request</title></head><body>Bad Request</body></html>"

TITLE = "BRAF V600E in melanoma."
ABSTRACT = "Vemurafenib inhibits BRAF in A375 cells of human melanoma."


@dataclass
class Answer:
    """One scripted answer; ``cut`` sends only so many bytes and closes the connection."""

    status: int = 200
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    cut: int | None = None


@dataclass
class Request:
    """What the server was asked."""

    method: str
    path: str
    query: dict
    form: dict
    time: float


class NcbiServer:
    """Serves until the block ends."""

    def __init__(self):
        self.requests = []
        self.script = []
        self.pmids = {"100", "101", "102", "24259561"}
        self.pmcids = {"PMC7", "PMC8"}
        self.pubmed = {"900"}
        self.stumbles = set()  # ids that make the whole call answer 500
        self.refuses = set()  # ids that make the whole call answer 400
        self.pending = {}  # session → statuses before the result
        self.never_ready = False
        self.plain_session = False
        self.results = {}
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"ncbi": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def asked(self, part):
        """Requests whose path holds this part."""
        return [request for request in self.requests if part in request.path]

    def answer(self, request):
        with self.lock:
            self.requests.append(request)
            if self.script:
                return self.script.pop(0)
        pages = {
            "biocjson": self.export_json,
            "biocxml": self.export_xml,
            "efetch.fcgi": self.efetch,
            "request.cgi": self.submit,
            "retrieve.cgi": self.retrieve,
        }
        page = pages.get(request.path.rpartition("/")[2])
        return page(request) if page else Answer(404, b"no such page")

    def export_json(self, request):
        ids = request.query["pmids"].split(",")
        if len(ids) > 100:
            return Answer(414, b"too many")
        if self.stumbles & set(ids):
            return Answer(500, b"<html><title>Server Error</title></html>")
        if self.refuses & set(ids):
            return Answer(400, HTML_400)
        found = [paper_json(name) for name in ids if name in self.pmids]
        if not found:
            return Answer(404, b'{"detail": "no publications"}')
        return Answer(200, json.dumps({"PubTator3": found}).encode())

    def export_xml(self, request):
        ids = request.query["pmcids"].split(",")
        found = [paper_xml(name) for name in ids if name in self.pmcids]
        body = f"<?xml version='1.0'?><collection><source>PubTator</source>{''.join(found)}"
        return Answer(200, (body + "</collection>").encode())

    def efetch(self, request):
        found = [name for name in request.form["id"].split(",") if name in self.pubmed]
        articles = "".join(
            f"<PubmedArticle><MedlineCitation><PMID Version='1'>{name}</PMID><Article>"
            f"<ArticleTitle>Paper {name}.</ArticleTitle><Abstract><AbstractText>It is new."
            "</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle>"
            for name in found
        )
        return Answer(200, f"<PubmedArticleSet>{articles}</PubmedArticleSet>".encode())

    def submit(self, request):
        with self.lock:
            session = f"{len(self.results):020X}"
            self.results[session] = request.form["text"]
            self.pending.setdefault(session, [404, 400])
        if self.plain_session:
            return Answer(200, session.encode())
        return Answer(200, json.dumps({"id": session}).encode())

    def retrieve(self, request):
        session = request.form["id"]
        with self.lock:
            if self.never_ready:
                return Answer(404, b"[Warning] : The Result is not ready.")
            if session not in self.results:
                return Answer(404, b"unknown")
            if self.pending.get(session):
                status = self.pending[session].pop(0)
                body = HTML_400 if status == 400 else b"[Warning] : The Result is not ready."
                return Answer(status, body)
        return Answer(200, raw_result(self.results[session]).encode())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.handle_any({})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.handle_any(_single(parse_qs(body.decode())))

    def handle_any(self, form):
        parts = urlsplit(self.path)
        request = Request(
            self.command, parts.path, _single(parse_qs(parts.query)), form, time.monotonic()
        )
        answer = self.ncbi.answer(request)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body if answer.cut is None else answer.body[: answer.cut])
        if answer.cut is not None:
            self.close_connection = True

    def log_message(self, *_):
        pass


def _single(query):
    return {name: values[0] for name, values in query.items()}


def _annotation(number, text, kind, whole, **infons):
    start = whole.index(text)
    return {
        "id": str(number),
        "infons": {"type": kind, **infons},
        "text": text,
        "locations": [{"offset": start, "length": len(text)}],
    }


def paper_json(name):
    """A paper in PubTator 3's form, with each of its peculiarities."""
    whole = f"{TITLE} {ABSTRACT}"
    tmvar = "tmVar:p|SUB|V|600|E;HGVS:p.V600E;VariantGroup:0;CorrespondingGene:673;RS#:113488022"
    title = [
        _annotation(1, "BRAF", "Gene", whole, identifier="673", normalized_id=673),
        _annotation(2, "V600E", "Variant", whole, subtype="ProteinMutation", identifier=tmvar),
        _annotation(3, "melanoma", "Disease", whole, identifier="MESH:D008545"),
    ]
    abstract = [
        _annotation(4, "Vemurafenib", "Chemical", whole, identifier="MESH:C551177"),
        _annotation(5, "A375", "CellLine", whole, identifier="CVCL:0132"),
        _annotation(6, "human", "Species", whole, normalized_id=9606),
        _annotation(7, "cells", "Strain", whole, identifier="-"),
    ]
    role1 = {"identifier": "MESH:C551177", "type": "Chemical"}
    role2 = {"identifier": "673", "type": "Gene"}
    relation = {"score": "0.99", "role1": role1, "role2": role2, "type": "Negative_Correlation"}
    return {
        "_id": f"{name}|None",
        "id": name,
        "infons": {},
        "passages": [
            {"infons": {"type": "title"}, "offset": 0, "text": TITLE, "annotations": title},
            {
                "infons": {"type": "abstract"},
                "offset": len(TITLE) + 1,
                "text": ABSTRACT,
                "annotations": abstract,
            },
        ],
        "relations": [{"id": "R1", "infons": relation, "nodes": []}],
        "pmid": int(name),
        "pmcid": None,
        "journal": "J Made Up",
    }


def paper_xml(name):
    """An article by PMCID: its id comes without the letters."""
    return (
        f"<document><id>{name[3:]}</id><passage><infon key='type'>title</infon><offset>0</offset>"
        f"<text>{TITLE}</text><annotation id='1'><infon key='type'>Gene</infon>"
        "<infon key='identifier'>673</infon><location offset='0' length='4'/><text>BRAF</text>"
        f"</annotation></passage><passage><infon key='type'>abstract</infon>"
        f"<offset>{len(TITLE) + 1}</offset><text>{ABSTRACT}</text></passage></document>"
    )


def raw_result(text):
    """PubTator text for a raw text, with a gene wherever BRAF stands; quotes come back changed."""
    text = text.replace("“", '""').replace("”", '""')
    rows = [f"00000|t|{text}", "00000|a|"]
    start = text.find("BRAF")
    while start >= 0:
        rows.append(f"00000\t{start}\t{start + 4}\tBRAF\tGene\t673")
        start = text.find("BRAF", start + 1)
    return "\n".join(rows) + "\n"
