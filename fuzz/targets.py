"""What is fuzzed: one function a target, from bytes to nothing or to an exception.

Bad input may end in a :class:`~novelink.errors.NovelinkError` (for the service:
in a problem with a status below 500) and in nothing else. What was read must be
fit to be written, and a message must be one line of bounded length. Everything
beyond that is a finding.
"""

from __future__ import annotations

import atexit
import hashlib
import io
import json
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from novelink.curation import from_record
from novelink.decode import DecisionSettings
from novelink.errors import DataError, NovelinkError
from novelink.formats import ReadReport, format_of_source, read, write
from novelink.formats.source import open_source
from novelink.runtime.bundle import load_bundle, write_manifest
from novelink.runtime.graph_file import read_graph_file
from novelink.runtime.model_set import is_model_set, load_model_set
from novelink.scale.container import Container
from novelink.scale.corpus import CorpusFile
from novelink.scale.splitting import split
from novelink.schema import BIORED, Schema, load_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from novelink.document import Document

LONGEST_MESSAGE = 4_000
"""Characters of an error's line; longer ones bury what they say."""

MOST_DOCUMENTS = 500
"""After so many documents of one input there is nothing new to learn from it."""


@dataclass(frozen=True, slots=True)
class Target:
    """One way for foreign bytes to come in.

    Attributes:
        name: for the command line and the report.
        run: takes the bytes.
        words: strings that the mutator may put in.
        share: part of the time, relative to the others.
        longest: bytes of an input.
        json_from: where JSON begins in it, None for what is no JSON.
    """

    name: str
    run: Callable[[bytes], None]
    words: tuple[str, ...] = ()
    share: float = 1.0
    longest: int = 8_192
    json_from: int | None = None


def check_message(error: NovelinkError) -> None:
    """One line, of bounded length, without terminal commands."""
    text = str(error)
    assert text.isprintable() or not any(sign in text for sign in "\n\r\x1b\x00"), repr(text)
    assert len(text) <= LONGEST_MESSAGE, f"a message of {len(text)} characters"


def _documents(data: bytes, format_name: str | None, *, lenient: bool) -> list[Document]:
    stream = io.BytesIO(data)
    stream.name = "input"
    report = ReadReport()
    found: list[Document] = []
    try:
        for document in read(stream, format_name, lenient=lenient, report=report):
            found.append(document)
            if len(found) >= MOST_DOCUMENTS:
                break
    except NovelinkError as error:
        check_message(error)
    for line in report.lines():
        assert "\n" not in line
    return found


def _check_documents(found: list[Document]) -> None:
    """What was read can be written without loss, and by every other writer or not at all."""
    with_text = [document for document in found if document.passages]
    if not with_text:
        return
    stream = io.BytesIO()
    write(with_text, stream, "jsonl")
    again = list(read(io.BytesIO(stream.getvalue()), "jsonl"))
    assert again == with_text, "JSON Lines lost something"
    for name in ("pubtator", "bioc-xml", "bioc-json", "tsv"):
        try:
            write(with_text, io.BytesIO(), name)
        except NovelinkError as error:
            check_message(error)


def _reader(format_name: str | None) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        # Under lenient a reader goes on after a fault, and so comes further.
        found = _documents(data, format_name, lenient=True)
        _check_documents(found)
        if data[-1:] < b"\x40":
            _documents(data, format_name, lenient=False)

    return run


def _container(data: bytes) -> None:
    """An archive: its members, cut into documents as a corpus run does it."""
    name = ("a.tar", "a.tar.gz", "a.xml.gz", "a.pubtator")[data[0] & 3] if data else "a.tar"
    file = CorpusFile(name, name, len(data))
    try:
        for member in Container(file, io.BytesIO(data[1:])).members():
            assert not member.name.startswith("/")
            assert ".." not in Path(member.name).parts
            try:
                with open_source(member.named()) as source:
                    for number, piece in enumerate(
                        split(source, format_of_source(source), BIORED, ReadReport())
                    ):
                        if piece.fault is not None:
                            check_message(piece.fault)
                        if number >= MOST_DOCUMENTS:
                            break
            except DataError as error:
                check_message(error)
    except NovelinkError as error:
        check_message(error)


def _splitting(data: bytes) -> None:
    _container(b"\x03" + data)


def _rest_body(data: bytes) -> None:
    """A body of the service, and the answer to it."""
    from novelink.pairs import count_pairs
    from novelink.serve.answers import MEDIA_TYPES, answer, answer_format
    from novelink.serve.bodies import content_format, parse
    from novelink.serve.problems import Problem

    kinds = ("application/json", "", "application/bioc+json", "text/x-pubtator", "text/x-pmids")
    kind = kinds[data[0] % len(kinds)] if data else ""
    try:
        parsed = parse(data[1:], content_format(kind), BIORED, 100)
        assert all(count_pairs(document, BIORED) >= 0 for document in parsed.documents)
        chosen = answer_format(None, "", parsed.format)
        assert chosen in MEDIA_TYPES
        with_text = [one for one in parsed.documents if one.passages]
        sent = bytes(answer(with_text, chosen, model="m", facts={}).body)
        if chosen in {"json", "bioc-json"}:
            assert len(json.loads(sent)["documents"]) == len(with_text)
    except Problem as problem:
        assert 400 <= problem.status < 500, problem.body
        problem.response()
    except NovelinkError as error:
        check_message(error)


@cache
def _application() -> tuple[Any, Any, Any]:
    """The service around a model that finds nothing, its event loop, and a job."""
    import asyncio

    from novelink.serve.app import create_app
    from novelink.serve.settings import ServeSettings

    class Nothing:
        name, schema, max_length, gives_evidence = "none", BIORED, 512, False

        def extract(self, documents: Any, **_: Any) -> Any:
            return (document.with_relations(()) for document in documents)

    class Nobody:
        failures: dict[str, str] = {}  # noqa: RUF012 (stays empty)
        report = property(lambda self: self)

        def __call__(self, documents: Any) -> Any:
            return iter(documents)

    settings = ServeSettings(max_body=100_000, max_documents=100, max_seconds=60.0)
    app = create_app(Nothing(), settings, make_annotator=lambda _: Nobody())  # type: ignore[arg-type]
    loop = asyncio.new_event_loop()
    app.state.service.start()
    return app, loop, settings


def _request(data: bytes) -> None:
    """A whole request: first line ``METHOD target``, header lines, an empty line, a body."""
    app, loop, _ = _application()
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    method, _, target = first.partition(b" ")
    path, _, query = target.partition(b"?")
    headers = [(b"host", b"localhost")]
    for line in lines:
        name, colon, value = line.partition(b":")
        if colon:
            headers.append((name.strip().lower(), value.strip()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method.decode("latin-1").upper() or "GET",
        "scheme": "http",
        "path": path.decode("utf-8", "replace") or "/",
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 5000),
        "server": ("127.0.0.1", 8000),
    }
    if scope["path"].endswith("/events"):
        return  # a stream that ends with its job
    sent: list[dict[str, Any]] = []
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:
            return {"type": "http.disconnect"}
        asked = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    loop.run_until_complete(app(scope, receive, send))
    (start,) = (message for message in sent if message["type"] == "http.response.start")
    assert start["status"] < 500 or start["status"] == 503, (start, sent[1:])
    names = {name.lower() for name, _ in start["headers"]}
    assert b"content-security-policy" in names
    assert b"access-control-allow-origin" not in names


# The smallest file that counts as a graph: one node, of the operator Add.
SMALLEST_GRAPH = b"\x3a\x07\x0a\x05\x22\x03Add"


@cache
def _model_parts() -> dict[str, bytes]:
    from tokenizers import Tokenizer, models

    tokenizer = Tokenizer(models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]"))  # noqa: S106
    decision = {
        "threshold": 0.5,
        "relation_temperature": 1.0,
        "novelty_temperature": 1.0,
        "novel_threshold": 0.5,
    }
    config = {
        "format": 1,
        "name": "tiny",
        "reading": "pair",
        "max_length": 128,
        "schema": BIORED.to_dict(),
        "decision": decision,
    }
    return {
        "config.json": json.dumps(config).encode(),
        "tokenizer.json": tokenizer.to_str().encode(),
        "model.onnx": SMALLEST_GRAPH,
        "README.md": b"# tiny\n",
    }


@cache
def _folder() -> Path:
    memory = Path("/dev/shm")  # noqa: S108 (a fresh folder in it; a disk would slow each input)
    place = memory if memory.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="novelink-fuzz-", dir=place))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _whole_manifest(folder: Path) -> dict[str, Any]:
    """Of the folder as it was before anything foreign came into it."""
    whole: dict[str, Any] = json.loads(write_manifest(folder).read_bytes())
    return whole


def _write_manifest(folder: Path, whole: dict[str, Any], name: str, data: bytes) -> None:
    """A manifest that fits a folder in which one file is another."""
    entry = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    text = json.dumps({**whole, "files": {**whole["files"], name: entry}})
    (folder / "manifest.json").write_text(text, encoding="utf-8")


def _model_file(name: str) -> Callable[[bytes], None]:
    """A model folder in which one file is foreign and the manifest fits it."""

    def run(data: bytes) -> None:
        folder = _folder() / name
        if not folder.exists():
            folder.mkdir()
            for part, content in _model_parts().items():
                (folder / part).write_bytes(content)
        if name == "manifest.json":
            whole = _whole_manifest(folder)
            try:
                changed = json.loads(data)
            except (ValueError, RecursionError):
                changed = None
            # The listed checksums stay right, so that the checks behind them are reached.
            if isinstance(changed, dict) and isinstance(changed.get("files"), dict):
                changed["files"] = {**whole["files"], **changed["files"]}
                data = json.dumps(changed).encode()
            (folder / name).write_bytes(data)
        else:
            whole = _whole_manifest(folder)
            (folder / name).write_bytes(data)
            _write_manifest(folder, whole, name, data)
        try:
            bundle = load_bundle(folder)
            bundle.tokenizer().encode("a b")
            DecisionSettings.from_dict(bundle.decision)
        except NovelinkError as error:
            check_message(error)

    return run


def _graph(data: bytes) -> None:
    try:
        read_graph_file(data)
    except NovelinkError as error:
        check_message(error)


def _model_set(data: bytes) -> None:
    """A set of one model, with a foreign ``config.json`` that its manifest fits."""
    folder = _folder() / "set"
    member = folder / "members" / "a"
    if not member.exists():
        member.mkdir(parents=True)
        for part, content in _model_parts().items():
            (member / part).write_bytes(content)
        write_manifest(member)
        (folder / "README.md").write_bytes(b"# set\n")
    (folder / "config.json").write_bytes(data)
    files = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for name in ("config.json", "README.md", "members/a/manifest.json")
        for content in [(folder / name).read_bytes()]
    }
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "files": files}))
    try:
        if is_model_set(folder):
            load_model_set(folder)
    except NovelinkError as error:
        check_message(error)


def _schema(data: bytes) -> None:
    path = _folder() / "schema.toml"
    path.write_bytes(data)
    try:
        load_schema(path)
    except NovelinkError as error:
        check_message(error)
    try:
        Schema.from_dict(json.loads(data))
    except (ValueError, RecursionError):
        pass
    except NovelinkError as error:
        check_message(error)


def _decisions(data: bytes) -> None:
    from novelink.curation import read_decisions

    path = _folder() / "decisions.json"
    path.write_bytes(data)
    try:
        for decision in read_decisions(path):
            from_record(json.loads(json.dumps(decision, default=vars)))
    except (NovelinkError, TypeError) as error:
        if isinstance(error, NovelinkError):
            check_message(error)


_JSON = (
    '{"', '":', "[", "]", "{", "}", "null", "true", "-1", "1e999", "NaN", '"id":', '"passages":',
    '"offset":', '"text":', '"infons":', '"type":', '"\\ud800"', '"annotations":', '"relations":',
    '"locations":', '"length":', '"sentences":', '"documents":', '"PubTator3":', "99999999999999",
    '"entity1":', '"entity2":', '"Association"', '"role1":', '"role2":', '"nodes":', '"refid":',
    '"identifier":', '"novel":', '"score":', '"evidence":', "GeneOrGeneProduct", "ChemicalEntity",
)  # fmt: skip
_JSONL = (
    *_JSON[:15], '"mentions":', '"start":', '"end":', '"ids":', '"spans":', '"source_id":',
    '"id1":', '"id2":', '"novelty":', '"novelty_score":', '"subject":', '"evidence":[[0,1,0.5]]',
    '"title":', '"abstract":', "GeneOrGeneProduct", "Association", "\n", "999999999999",
)  # fmt: skip
_XML = (
    "<collection>", "</collection>", "<document>", "</document>", "<passage>", "</passage>",
    "<sentence>", "</sentence>", '<infon key="', "</infon>", "<offset>", "</offset>", "<text>",
    "</text>", '<annotation id="', "</annotation>", '<location offset="0" length="1"/>',
    '<relation id="', "</relation>", '<node refid="', "<!DOCTYPE", "<!ENTITY", "<![CDATA[", "]]>",
    "<!--", "-->", '<?xml version="1.0" encoding="', "&#0;", "&lt;", "&a;", "99999999999999",
    "<id>", "</id>", "GeneOrGeneProduct", "Association", "\xef\xbb\xbf",
)  # fmt: skip
_PUBTATOR = (
    "|t|", "|a|", "\t", "\n", "\r", "\r\n", "\n\n", "1|t|", "\n1|a|", "\tAssociation\t", "Novel",
    "\tNo", "Subject:", "GeneOrGeneProduct", "ChemicalEntity", "99999999999999999999", "-", "|0.5",
    "MESH:", "tmVar:", ";RS#:", "HGVS:", ",", "@",
)  # fmt: skip
_PUBMED = (
    "<PubmedArticleSet>", "</PubmedArticleSet>", "<PubmedArticle>", "</PubmedArticle>", "<PMID>",
    "</PMID>", "<MedlineCitation>", "<Article>", "<ArticleTitle>", "</ArticleTitle>", "<Abstract>",
    '<AbstractText Label="', "</AbstractText>", "<DeleteCitation>", "</DeleteCitation>", "<mml:mi>",
    "<PubmedBookArticle>", "<!DOCTYPE", "<![CDATA[", "&nbsp;", "<Year>", '<ArticleId IdType="pmc">',
)  # fmt: skip
_TEXT = (
    "\n\n",
    "\t",
    "et al. ",
    "RESULTS: ",
    "(",
    ")",
    "...",
    "\x1b[",
    "\xef\xbb\xbf",
    "id\t",
    ". ",
)
_HTTP = (
    "GET /", "POST /v1/extract", "POST /v1/jobs", "/v1/gold?format=", "/v1/schema", "/metrics",
    "PUT /v1/jobs/x/decisions", "DELETE /v1/jobs/x", "/openapi.json", "/assets/", "Host: ",
    "Origin: ", "Content-Type: ", "Content-Length: ", "Accept: ", "application/json", "\n\n",
    "text/x-pubtator", "?min_score=", "&evidence=true", "&entities=given", "format=", "[::1", "nan",
    "Authorization: Bearer ", "Cookie: novelink=", "?token=",
    '{"text":"a"}', '{"pmids":["1"]}', '{"documents":[]}',
)  # fmt: skip
_GRAPH = ("\x3a", "\x0a", "\x22", "location", "Add", "\x6a", "\xff\xff\xff\xff\xff\x01")
_MODEL = (
    *_JSON[:10], '"format":', '"name":', '"reading":', '"max_length":', '"schema":', '"decision":',
    '"threshold":', '"files":', '"sha256":', '"size":', "../", "/etc/passwd", "Infinity",
    '"entity_types":', '"relation_types":', '"pairs":', '"models":', '"vote":',
)  # fmt: skip
_TOML = ("name = ", "[[pairs]]\n", "types = [", "relations = [", "[aliases]\n", '"a"', "= {")

TARGETS = {
    target.name: target
    for target in (
        Target("pubtator", _reader("pubtator"), _PUBTATOR, 1.5),
        Target("bioc-xml", _reader("bioc-xml"), _XML, 1.5),
        Target("bioc-json", _reader("bioc-json"), _JSON, 1.5, json_from=0),
        Target("jsonl", _reader("jsonl"), _JSONL, 1.5, json_from=0),
        Target("pubmed-xml", _reader("pubmed-xml"), _PUBMED),
        Target(
            "medline", _reader("medline"), ("PMID- ", "TI  - ", "AB  - ", "\n      ", "DP  - "), 0.7
        ),
        Target("text-tsv", _reader("text-tsv"), _TEXT, 0.7),
        Target("ids", _reader("ids"), ("PMC", "pmid:", "#", "\n"), 0.4),
        Target("text", _reader("text"), _TEXT, 0.7),
        Target("text-whole", _reader("text-whole"), _TEXT, 0.4),
        Target("any", _reader(None), (*_PUBTATOR[:6], *_XML[:8], *_JSON[:12], "\x1f\x8b", "<html")),
        Target(
            "archive", _container, ("ustar", "\x1f\x8b\x08", "././@LongLink", "path="), 1.5, 16_384
        ),
        Target("splitting", _splitting, (*_XML, *_PUBTATOR[:8]), 0.7),
        Target("rest-body", _rest_body, (*_JSON, '"pmids":', '"mentions":'), 1.5, json_from=1),
        Target("request", _request, (*_HTTP, *_JSON[:8]), 1.5),
        Target("model-config", _model_file("config.json"), _MODEL, json_from=0),
        Target("model-manifest", _model_file("manifest.json"), _MODEL, 0.7, json_from=0),
        Target("model-tokenizer", _model_file("tokenizer.json"), _MODEL, 0.7, json_from=0),
        Target("model-graph", _graph, _GRAPH, 0.7),
        Target("model-set", _model_set, _MODEL, 0.5, json_from=0),
        Target("schema", _schema, (*_TOML, *_MODEL), 0.5),
        Target(
            "decisions",
            _decisions,
            (*_JSON[:10], '"action":', '"add"', '"document":'),
            0.5,
            json_from=0,
        ),
    )
}
