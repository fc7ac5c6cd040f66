"""Fixtures that several parts share: a tiny model with random weights, and small documents."""

from __future__ import annotations

import json
import re
import string

import pytest
from hypothesis import settings

from novelink.document import Document, Mention, Relation
from novelink.pairs import candidate_pairs
from novelink.schema import BIORED, CHEMICAL, DISEASE, GENE, SPECIES, VARIANT

# A busy machine is no failure.
settings.register_profile("novelink", deadline=None)
settings.load_profile("novelink")

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "@/E", "E/@"]
WORDS = ["the", "of", "in", "and", "to", "was", "were", "patients", "mice", "cells", "disease"]


def make_document(doc_id, title, abstract, entities):
    """A document whose mentions are all occurrences of the given surface forms.

    ``entities`` maps a surface form to ``(type, concept ids)``; longer forms win over shorter ones
    at the same place.
    """
    bare = Document.from_text(doc_id, title, abstract)
    text = bare.text
    forms = sorted(entities, key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(form)}(?!\w)" for form in forms)
    mentions = []
    for found in re.finditer(pattern, text) if forms else ():
        kind, ids = entities[found[0]]
        ids = (ids,) if isinstance(ids, str) else tuple(ids)
        mentions.append(Mention(found.start(), found.end(), found[0], kind, ids))
    return bare.with_mentions(mentions)


@pytest.fixture(scope="session")
def document_maker():
    """The function :func:`make_document`, for tests in other folders."""
    return make_document


@pytest.fixture(scope="session")
def small_documents():
    """Six short documents: several pair types, no pairs, no mentions, odd ids."""
    return [
        make_document(
            "101",
            "Loss of ORFX1 raises the risk of gutter disease",
            "Patients with gutter disease were treated with zelamine. Zelamine and ORFX1 "
            "expression went down together, while ORFX2 was unchanged. c.17A>G in ORFX1 was seen.",
            {
                "ORFX1": (GENE, "9901"),
                "ORFX2": (GENE, "9902"),
                "gutter disease": (DISEASE, "D990001"),
                "zelamine": (CHEMICAL, "D990002"),
                "Zelamine": (CHEMICAL, "D990002"),
                "Patients": (SPECIES, "9606"),
                "c.17A>G": (VARIANT, "c|SUB|A|17|G"),
            },
        ),
        make_document("102", "A note on method", "Nothing is marked here.", {}),
        make_document(
            "103",
            "Mice and patients",
            "Mice differ from patients.",
            {"Mice": (SPECIES, "10090"), "patients": (SPECIES, "9606")},
        ),
        make_document(
            "104",
            "Bexin binds GLOP3",
            "",
            {"Bexin": (CHEMICAL, "C990003"), "GLOP3": (GENE, ("9903", "9904"))},
        ),
        make_document(
            "105",
            "Unnamed tumours respond to Bexin",
            "Tumours of kind Q shrink with Bexin; kind Q was first described last year.",
            {
                "tumours": (DISEASE, ()),
                "kind Q": (DISEASE, "D990005"),
                "Bexin": (CHEMICAL, "C990003"),
            },
        ),
        make_document(
            "106",
            "Anti-GLOP3 sera and ORFX1",
            " ".join(f"In series {number} GLOP3 met ORFX1 and Bexin." for number in range(12)),
            {"GLOP3": (GENE, "9903"), "ORFX1": (GENE, "9901"), "Bexin": (CHEMICAL, "C990003")},
        ),
    ]


@pytest.fixture(scope="session")
def half_related():
    """Documents → the same with gold: every second pair related, every third of these known."""

    def related(document):
        pairs = candidate_pairs(document)[::2]
        return document.with_relations(
            Relation(*pair.ids, "Association", novelty="No" if place % 3 == 0 else "Novel")
            for place, pair in enumerate(pairs)
        )

    return lambda documents: [related(document) for document in documents]


def tiny_tokenizer():
    """A WordPiece tokenizer that knows a few words and every letter."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

    letters = string.ascii_lowercase + string.digits
    pieces = [*SPECIAL_TOKENS, *letters, *(f"##{letter}" for letter in letters)]
    pieces += [*string.punctuation, *WORDS]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS]
    )
    return tokenizer


def tiny_graph(vocabulary_size, schema, seed=7, hidden=32):
    """A per-pair graph with random weights: embedding, attention, neighbours, pooling, heads."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(seed)

    def weights(name, *shape, scale=1.0):
        values = random.normal(0, scale / np.sqrt(shape[0]), shape).astype(np.float32)
        return numpy_helper.from_array(values, name)

    # The markers are in every sample: small, so that what they stand beside decides.
    embedding = random.normal(0, 1, (vocabulary_size, hidden)).astype(np.float32)
    embedding[: len(SPECIAL_TOKENS)] *= 0.1
    near = random.normal(0, 1 / np.sqrt(hidden), (hidden, hidden, 3)).astype(np.float32)

    def constant(name, values):
        return numpy_helper.from_array(np.asarray(values), name)

    def pooled(starts, name):
        """Mean of the states at the start markers; zeros where there is none."""
        return [
            helper.make_node("Unsqueeze", [starts, "one"], [f"{name}_row"]),
            helper.make_node("MatMul", [f"{name}_row", "states"], [f"{name}_sum3"]),
            helper.make_node("Squeeze", [f"{name}_sum3", "one"], [f"{name}_sum"]),
            helper.make_node("ReduceSum", [starts, "one"], [f"{name}_count"], keepdims=1),
            helper.make_node("Max", [f"{name}_count", "unit"], [f"{name}_divisor"]),
            helper.make_node("Div", [f"{name}_sum", f"{name}_divisor"], [name]),
        ]

    heads = {
        "relation": len(schema.relation_labels),
        "novelty": len(schema.novelty_labels),
        "pair_type": len(schema.pair_types),
    }
    nodes = [
        helper.make_node("Gather", ["embedding", "input_ids"], ["tokens"]),
        helper.make_node("MatMul", ["tokens", "query_w"], ["query"]),
        helper.make_node("MatMul", ["tokens", "key_w"], ["key"]),
        helper.make_node("MatMul", ["tokens", "value_w"], ["value"]),
        helper.make_node("Transpose", ["key"], ["key_t"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["query", "key_t"], ["products"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["mask", "unit"], ["absent"]),
        helper.make_node("Mul", ["absent", "much"], ["penalty2"]),
        helper.make_node("Unsqueeze", ["penalty2", "one"], ["penalty"]),
        helper.make_node("Add", ["products", "penalty"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["attention"], axis=-1),
        helper.make_node("MatMul", ["attention", "value"], ["context"]),
        helper.make_node("Transpose", ["tokens"], ["tokens_t"], perm=[0, 2, 1]),
        helper.make_node("Conv", ["tokens_t", "near_w"], ["near_t"], pads=[1, 1]),
        helper.make_node("Transpose", ["near_t"], ["near"], perm=[0, 2, 1]),
        helper.make_node("Add", ["near", "context"], ["sum"]),
        helper.make_node("Tanh", ["sum"], ["states"]),
        helper.make_node("Gather", ["states", "zero"], ["start"], axis=1),
        *pooled("first_starts", "first"),
        *pooled("second_starts", "second"),
        helper.make_node("Concat", ["start", "first", "second"], ["features"], axis=-1),
        *(
            node
            for head in heads
            for node in (
                helper.make_node("MatMul", ["features", f"{head}_w"], [f"{head}_product"]),
                helper.make_node("Add", [f"{head}_product", f"{head}_b"], [head]),
            )
        ),
    ]
    initializers = [
        constant("embedding", embedding),
        constant("near_w", near),
        *(weights(f"{name}_w", hidden, hidden) for name in ("query", "key", "value")),
        *(weights(f"{head}_w", 3 * hidden, size, scale=3.0) for head, size in heads.items()),
        *(weights(f"{head}_b", size) for head, size in heads.items()),
        constant("zero", np.int64(0)),
        constant("one", np.array([1], np.int64)),
        constant("unit", np.float32(1.0)),
        constant("much", np.float32(1e9)),
    ]

    def tensor(name, kind, *shape):
        return helper.make_tensor_value_info(name, kind, shape)

    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            tensor("input_ids", TensorProto.INT64, "B", "L"),
            tensor("attention_mask", TensorProto.INT64, "B", "L"),
            tensor("first_starts", TensorProto.FLOAT, "B", "L"),
            tensor("second_starts", TensorProto.FLOAT, "B", "L"),
        ],
        [tensor(head, TensorProto.FLOAT, "B", size) for head, size in heads.items()],
        initializers,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def write_tiny_bundle(folder, *, name="tiny", schema=BIORED, max_length=128, seed=7):
    """A complete model folder with random weights."""
    import onnx

    from novelink.runtime.bundle import write_manifest

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tiny_tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    onnx.save(tiny_graph(tokenizer.get_vocab_size(), schema, seed), str(folder / "model.onnx"))
    config = {
        "format": 1,
        "name": name,
        "reading": "pair",
        "max_length": max_length,
        "schema": schema.to_dict(),
        "decision": {
            "threshold": 0.6,
            "relation_temperature": 1.5,
            "novelty_temperature": 1.2,
            "novel_threshold": 0.5,
        },
        "tokenizer": {"kind": "wordpiece", "lowercase": True},
        "versions": {},
        "training": {"data": "none: random weights", "seed": seed},
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    card = f"---\nlicense: apache-2.0\n---\n\n# {name}\n\nRandom weights, for tests.\n"
    (folder / "README.md").write_text(card, encoding="utf-8")
    write_manifest(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory):
    """Path of a model folder in float32; never write into it."""
    return write_tiny_bundle(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def quantised_bundle(tmp_path_factory):
    """The same in dynamically quantised int8, where the samples of a batch round each other."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from novelink.runtime.bundle import write_manifest

    folder = write_tiny_bundle(tmp_path_factory.mktemp("models") / "tiny-int8", name="tiny-int8")
    whole = folder.parent / "whole.onnx"
    (folder / "model.onnx").rename(whole)
    quantize_dynamic(whole, folder / "model.onnx", weight_type=QuantType.QInt8)
    write_manifest(folder)
    return folder


@pytest.fixture(scope="session")
def bundle_writer():
    """The function :func:`write_tiny_bundle`, for tests that change a model folder."""
    return write_tiny_bundle


def write_document_bundles(folder):
    """A whole-document model with random weights that tell pairs apart, in fp32 and int8."""
    import torch
    from transformers import BertConfig, BertModel

    from novelink.decode import DecisionSettings
    from novelink.training.export import export_model
    from novelink.training.settings import EncoderSettings, ModelSettings, TrainSettings
    from novelink.training.task_model import build_model

    torch.set_num_threads(1)
    torch.manual_seed(4)
    tokenizer = tiny_tokenizer()
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=512,
        initializer_range=0.2,
    )
    BertModel(config).save_pretrained(folder / "encoder")
    tokenizer.save(str(folder / "encoder" / "tokenizer.json"))
    model = build_model(
        TrainSettings(
            name="tiny-document",
            encoder=EncoderSettings(name=str(folder / "encoder"), dropout=0.0),
            model=ModelSettings(reading="document", max_length=512, dropout=0.0),
        )
    )
    for head in (model.model.relation.linear, model.model.novelty.linear, model.model.bilinear):
        torch.nn.init.normal_(head.weight, std=0.2)
    for precision in ("fp32", "int8"):
        export_model(
            model, folder / precision, DecisionSettings(threshold=0.8), precision=precision
        )
    return folder


@pytest.fixture(scope="session")
def document_bundles(tmp_path_factory):
    """Folder with the model folders ``fp32`` and ``int8``; never write into it."""
    pytest.importorskip("torch", reason="making a whole-document model needs the extra 'train'")
    pytest.importorskip("transformers", reason="as torch")
    return write_document_bundles(tmp_path_factory.mktemp("document-models"))
