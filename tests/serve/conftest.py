"""A server around the tiny model, and stand-ins for models and annotators that wait or fail."""

from __future__ import annotations

import threading

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")

from starlette.testclient import TestClient

from novelink.document import Mention, Relation
from novelink.errors import ModelError
from novelink.extractor import Extractor
from novelink.schema import BIORED, GENE
from novelink.serve.app import create_app
from novelink.serve.settings import ServeSettings


@pytest.fixture(scope="session")
def extractor(tiny_bundle):
    return Extractor.load(tiny_bundle, threads=1)


class WordTagger:
    """An annotator that takes every capital word for a gene, and knows one paper."""

    def __init__(self):
        self.report = self
        self.failures = {}

    def __call__(self, documents):
        for document in documents:
            if document.passages:
                words = [word.strip(".,") for word in document.text.split()]
                mentions, place = [], 0
                for word in words:
                    place = document.text.index(word, place)
                    if word.isupper():
                        end = place + len(word)
                        mentions.append(Mention(place, end, word, GENE, (word,)))
                    place += len(word)
                yield document.with_mentions(mentions)
            else:
                self.failures[document.id] = "PubMed does not know this id"


class GatedModel:
    """Stands for an extractor that works only while its gate is open, and counts its batches."""

    name = "gated"
    schema = BIORED
    max_length = 512
    gives_evidence = False

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.batches = []

    def extract(self, documents, *, min_score=None, evidence=False, report=None):
        if evidence:
            raise ModelError("no evidence here")
        return self._extract(list(documents))

    def _extract(self, documents):
        self.batches.append([document.id for document in documents])
        assert self.gate.wait(20)
        for document in documents:
            if document.id == "fault":
                raise RuntimeError("broken")
            yield document.with_relations([Relation("1", "2", "Bind", "Novel", 0.5, 0.5)])


@pytest.fixture
def gated():
    model = GatedModel()
    yield model
    model.gate.set()


@pytest.fixture
def serve():
    """A function that starts an application and gives a client."""
    clients = []

    def start(extractor, **settings):
        settings.setdefault("hosts", ("testserver",))
        app = create_app(
            extractor, ServeSettings(**settings), make_annotator=lambda _: WordTagger()
        )
        client = TestClient(app, raise_server_exceptions=False)
        client.__enter__()
        clients.append(client)
        return client

    yield start
    for client in clients:
        client.__exit__(None, None, None)
