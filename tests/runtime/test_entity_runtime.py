"""A per-entity model: the mean of both sides of a pair, the same bits in any company."""

from __future__ import annotations

import json
import random
import shutil

import numpy as np
import pytest

from command_line import run_command
from novelink import write
from novelink.document import Document, Mention
from novelink.extractor import Extractor
from novelink.pairs import candidate_pairs
from novelink.reading.entity import EntityReading
from novelink.runtime import entity_model
from novelink.runtime.bundle import load_bundle, write_manifest
from novelink.runtime.document_model import DocumentModel
from novelink.runtime.entity_model import EntityModel
from novelink.schema import BIORED, CHEMICAL, DISEASE, GENE


@pytest.fixture(scope="module")
def folder(document_bundles, tmp_path_factory):
    """The whole-document model in short windows, named one that reads per entity."""
    made = tmp_path_factory.mktemp("entity") / "model"
    shutil.copytree(document_bundles / "int8", made)
    config = json.loads((made / "config.json").read_text(encoding="utf-8"))
    config |= {"reading": "entity", "name": "tiny-entity", "max_length": 64}
    (made / "config.json").write_text(json.dumps(config), encoding="utf-8")
    write_manifest(made)
    return made


@pytest.fixture(scope="module")
def bundle(folder):
    return load_bundle(folder)


def text_of(words, entities, *, doc_id, seed):
    """A text in sentences, about one word in five of them a mention."""
    generator = random.Random(seed)
    pieces, mentions, position = [], [], 0
    for index in range(words):
        word = generator.choice(["the", "of", "cells", "mice", "were", "disease.", "We"])
        if index < 3 or generator.random() < 0.2:
            number = index if index < 3 else generator.randrange(entities)
            word = f"g{number}"
            kind = (GENE, CHEMICAL, DISEASE)[number % 3]
            mentions.append(Mention(position, position + len(word), word, kind, (word,)))
        pieces.append(word)
        position += len(word) + 1
    return Document.from_text(doc_id, " ".join(pieces), mentions=mentions)


@pytest.fixture(scope="module")
def documents():
    """Short and long texts with few and many entities."""
    sizes = [(20, 3), (90, 9), (40, 5), (150, 4)]
    return [text_of(words, entities, doc_id=str(words), seed=words) for words, entities in sizes]


def by_hand(bundle, document):
    """Relation and novelty logits, copy by copy."""
    pairs = candidate_pairs(document)
    model = DocumentModel(bundle, threads=1)
    answers = [[] for _ in pairs]
    for item in EntityReading(bundle.tokenizer(), BIORED, bundle.max_length).encode(
        document, pairs
    ):
        (found,) = model.logits([item.copy])
        for place, row in enumerate(item.rows):
            answers[row].append(np.concatenate([found.relation[place], found.novelty[place]]))
    assert {len(one) for one in answers} == {2}
    return np.array([np.mean(one, axis=0) for one in answers])


def test_logits_are_the_mean_of_what_both_sides_say(bundle, documents):
    extractor = Extractor(bundle, threads=1)
    for entry in extractor.scored(documents):
        logits = entry.joined()
        found = np.concatenate([logits.relation, logits.novelty], axis=1)
        expected = by_hand(bundle, entry.document)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
        assert np.median(expected.std(0)) > 0.01  # it tells pairs apart


def test_bits_depend_on_the_document_alone(bundle, documents, monkeypatch):
    def scores(threads, chosen):
        extractor = Extractor(bundle, threads=threads)
        return {entry.document.id: entry.joined().relation for entry in extractor.scored(chosen)}

    alone = {}
    for document in documents:
        alone |= scores(1, [document])
    for at_once in (1, 2, 32):
        monkeypatch.setattr(entity_model, "_COPIES_AT_ONCE", at_once)
        for threads, chosen in ((1, documents), (3, documents[::-1])):
            found = scores(threads, chosen)
            assert found.keys() == alone.keys()
            assert all(np.array_equal(found[name], alone[name]) for name in alone)


def test_few_copies_are_in_memory_at_a_time(bundle, documents, monkeypatch):
    """However many entities a document has: copies are made when their turn comes."""
    monkeypatch.setattr(entity_model, "_COPIES_AT_ONCE", 2)
    made = []
    reading = EntityReading(bundle.tokenizer(), BIORED, bundle.max_length)

    class Watched:
        """Counts copies."""

        def encode(self, document, pairs):
            for item in reading.encode(document, pairs):
                made.append(item.rows)
                yield item

    document = documents[1]
    pairs = candidate_pairs(document)
    started = EntityModel(bundle, Watched(), threads=1).start([(document, pairs)], [()])
    assert len(made) == 2
    (found,) = started.results()
    assert len(made) == len({name for pair in pairs for name in pair.ids}) > 6
    assert found.relation.shape == (len(pairs), len(BIORED.relation_labels))
    assert found.attention is None


def test_evidence_is_what_both_sides_attended_to(bundle, documents):
    extractor = Extractor(bundle, threads=2)
    assert extractor.gives_evidence
    plain = list(extractor.extract(documents, min_score=0.0))
    found = list(extractor.extract(documents, min_score=0.0, evidence=True))
    told = 0
    for document, without in zip(found, plain, strict=True):
        assert len(document.relations) == len(candidate_pairs(document))
        for relation, bare in zip(document.relations, without.relations, strict=True):
            assert (relation.id1, relation.id2, relation.score) == (bare.id1, bare.id2, bare.score)
            assert 0 < sum(one.weight for one in relation.evidence) <= 1
            told += len(relation.evidence)
            names = {relation.id1, relation.id2}
            heaviest = relation.evidence[0]
            inside = document.text[heaviest.start : heaviest.end]
            if len(relation.evidence) > 1:
                assert any(name in inside for name in names)
    assert told > sum(len(document.relations) for document in found)


def test_attention_adds_up_to_one_over_the_sentences_of_a_text_in_one_window(bundle, documents):
    extractor = Extractor(bundle, threads=1)
    (entry,) = extractor.scored(documents[:1], evidence=True)
    sums = entry.joined().attention.sum(1)
    # [CLS] and [SEP] belong to no sentence.
    assert (sums < 1).all()
    assert (sums > 0.3).all()


def test_long_texts_lose_no_pair(bundle, documents):
    extractor = Extractor(bundle, threads=1)
    list(extractor.extract(documents))
    assert extractor.report.pairs == sum(len(candidate_pairs(one)) for one in documents)
    assert extractor.report.pairs_apart > 0
    assert not extractor.report.cut_pairs


def test_commands_know_it(folder, documents, tmp_path, capsys):
    path, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    write(documents, path)
    done = run_command(capsys, "extract", path, "-m", folder, "-o", out)
    assert done.code == 0, done.err
    assert len(out.read_text("utf-8").splitlines()) == len(documents)
    done = run_command(capsys, "models", "verify", folder)
    assert done.code == 0, done.err
    assert "reading: entity" in run_command(capsys, "models", "info", folder).out
