"""Relations as a knowledge graph in KGX, by the Biolink model.

KGX (https://github.com/biolink/kgx) keeps nodes and edges in two files, TSV or
JSON lines. Names of classes, predicates and slots follow Biolink model 4;
``novelty`` and ``novelty_score`` are columns of our own, which KGX allows on
edges. Edges of one pair in several documents stay apart: each names its
publication.

Where they go depends on the output's name:

=======================  =======================================================
``graph``, ``graph.tsv``  ``graph_nodes.tsv`` and ``graph_edges.tsv``
``graph.jsonl``          ``graph_nodes.jsonl`` and ``graph_edges.jsonl``
``graph.tar.gz``         both as TSV in one archive, which KGX reads with
                         ``--input-compression tar.gz``
standard output, streams  the archive, not compressed
=======================  =======================================================

A final ``.gz`` compresses, as everywhere.
"""

from __future__ import annotations

import json
import re
import tarfile
import tempfile
from collections import Counter, defaultdict
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from novelink.exports.identifiers import CATEGORIES, identify, identify_document
from novelink.exports.rows import evidence_text, relation_ends
from novelink.formats.target import open_target
from novelink.formats.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from novelink.document import Document, Relation
    from novelink.exports.rows import End

    Place = str | PathLike[str] | IO[Any]

PREDICATES = {
    "Association": "biolink:associated_with",
    "Positive_Correlation": "biolink:positively_correlated_with",
    "Negative_Correlation": "biolink:negatively_correlated_with",
    "Bind": "biolink:directly_physically_interacts_with",
    "Drug_Interaction": "biolink:interacts_with",
}
"""Relation type → predicate. Biolink has no counterpart of Conversion,
Cotreatment and Comparison (nor of other schemas' types): those become
``biolink:related_to``, with the type kept in ``original_predicate``. All of
these predicates are symmetric."""

NODE_COLUMNS = ("id", "category", "name")
EDGE_COLUMNS = (
    "id",
    "subject",
    "predicate",
    "object",
    "category",
    "publications",
    "primary_knowledge_source",
    "knowledge_level",
    "agent_type",
    "original_predicate",
    "has_confidence_score",
    "supporting_text",
    "novelty",
    "novelty_score",
)


@contextmanager
def open_kgx(target: Place) -> Iterator[KgxWriter]:
    """A writer whose files appear when the block ends without an exception.

    Args:
        target: path, ``-`` or a stream; the module says what becomes of it.

    Raises:
        DataError: the target cannot be written.
    """
    path = None if hasattr(target, "write") or str(target) == "-" else str(target)
    if path is None or _ARCHIVE.search(path):
        with open_target(target) as stream, _Archive(stream) as (nodes, edges):
            writer = KgxWriter(nodes, edges, path or "<stream>")
            yield writer
            writer.finish()
        return
    found = _NAMES.fullmatch(path)
    stem, ending, packed = found.groups() if found else (path, ".tsv", None)
    names = [f"{stem}_{part}{ending}{packed or ''}" for part in ("nodes", "edges")]
    with open_target(names[0]) as nodes, open_target(names[1]) as edges:
        writer = KgxWriter(nodes, edges, path, lines=ending == ".jsonl")
        yield writer
        writer.finish()


_ARCHIVE = re.compile(r"\.tar(\.gz)?$|\.tgz$")
_NAMES = re.compile(r"(.+?)(?:_edges|_nodes)?(\.tsv|\.jsonl)(\.gz)?", re.DOTALL)


class _Archive:
    """Two files that become a tar archive, in which a file's size stands before its content."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._files: list[IO[bytes]] = []

    def __enter__(self) -> tuple[IO[bytes], IO[bytes]]:
        # Small graphs stay in memory, large ones wait on disk.
        self._files = [
            tempfile.SpooledTemporaryFile(max_size=1 << 24)  # noqa: SIM115 (closed by __exit__)
            for _ in range(2)
        ]
        return self._files[0], self._files[1]

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._pack()
        finally:
            for file in self._files:
                file.close()

    def _pack(self) -> None:
        with tarfile.open(fileobj=self._stream, mode="w|") as archive:
            for part, content in zip(("nodes", "edges"), self._files, strict=True):
                # No time and no owner: the same documents give the same bytes.
                entry = tarfile.TarInfo(f"novelink_{part}.tsv")
                entry.size = content.tell()
                content.seek(0)
                archive.addfile(entry, content)


class KgxWriter(Writer):
    """Writes the nodes and edges of documents.

    Edges stream; nodes are kept until the end, since a node's name is the text
    used most often over all documents.

    Args:
        nodes: takes the bytes of the node file.
        edges: takes the bytes of the edge file.
        name: the target's name for messages.
        lines: JSON lines in place of TSV.
    """

    def __init__(
        self, nodes: IO[bytes], edges: IO[bytes], name: str, *, lines: bool = False
    ) -> None:
        super().__init__(edges, name)
        self._nodes = nodes
        self._lines = lines
        self._names: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._types: dict[str, str] = {}
        for stream, columns in ((nodes, NODE_COLUMNS), (edges, EDGE_COLUMNS)):
            if not lines:
                stream.write(("\t".join(columns) + "\n").encode())

    def write(self, document: Document) -> None:
        """Add the relations of one document; one that is there twice becomes one edge."""
        seen: set[str] = set()
        for relation, first, second in relation_ends(document):
            if relation.subject == second.id != first.id:
                first, second = second, first  # noqa: PLW2901 (the acting entity comes first)
            edge = self._edge(document, relation, first, second)
            if edge["id"] in seen:
                self.lose("repeated relations of one document")
                continue
            seen.add(edge["id"])
            self._put(self.stream, EDGE_COLUMNS, edge)
        self.report.documents += 1

    def _edge(
        self, document: Document, relation: Relation, first: End, second: End
    ) -> dict[str, Any]:
        publication = identify_document(document.id)
        subject, target = self._node(first), self._node(second)
        key = f"{publication.curie}\t{subject}\t{relation.type}\t{target}"
        return {
            # The same relation of the same document keeps its id from one export to the next.
            "id": f"urn:uuid:{uuid5(NAMESPACE_URL, key)}",
            "subject": subject,
            "predicate": PREDICATES.get(relation.type, "biolink:related_to"),
            "object": target,
            "category": ["biolink:Association"],
            "publications": [publication.curie],
            "primary_knowledge_source": "infores:novelink",
            "knowledge_level": "not_provided",
            # Relations without a score came from people or an unknown tool.
            "agent_type": "not_provided" if relation.score is None else "text_mining_agent",
            "original_predicate": f"biored:{relation.type}",
            "has_confidence_score": relation.score,
            "supporting_text": evidence_text(document, relation),
            "novelty": relation.novelty,
            "novelty_score": relation.novelty_score,
        }

    def _node(self, end: End) -> str:
        curie = identify(end.type, end.id).curie
        self._names[curie][end.name] += 1
        self._types.setdefault(curie, end.type)
        return curie

    def _put(self, stream: IO[bytes], columns: tuple[str, ...], values: dict[str, Any]) -> None:
        if self._lines:
            kept = {name: value for name, value in values.items() if value not in (None, [], "")}
            line = json.dumps(kept, ensure_ascii=False)
        else:
            line = "\t".join(_cell(values.get(name)) for name in columns)
        stream.write(f"{line}\n".encode())

    def finish(self) -> None:
        """Write the nodes."""
        for curie, names in self._names.items():
            name = max(names, key=lambda text: names[text])
            category = CATEGORIES.get(self._types[curie], "biolink:NamedThing")
            values = {"id": curie, "category": [category], "name": name}
            self._put(self._nodes, NODE_COLUMNS, values)


def _cell(value: Any) -> str:
    """A TSV field; lists are joined by ``|``, which KGX reserves for that."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "|".join(_cell(item).replace("|", "/") for item in value)
    if isinstance(value, float):
        return f"{value:.6g}"
    return " ".join(str(value).split())
