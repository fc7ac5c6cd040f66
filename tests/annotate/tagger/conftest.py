"""A tagger whose graph is a table: each word of its vocabulary has its own answer."""

from __future__ import annotations

import json

import numpy as np
import pytest

from novelink.annotate.tagger.encoding import SHAPES
from novelink.runtime.bundle import write_manifest
from novelink.schema import BIORED, CHEMICAL, DISEASE, GENE

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
# word → (type, 1 begins or 2 continues, logit)
ANSWERS = {
    "orfx": (GENE, 1, 6.0),
    "kinase": (GENE, 2, 6.0),
    "zelamine": (CHEMICAL, 1, 6.0),
    "gutter": (DISEASE, 1, 6.0),
    "disease": (DISEASE, 2, 6.0),
    "bexin": (CHEMICAL, 1, 0.6),  # likelier than not, but unsure
    "maybe": (CHEMICAL, 1, -1.0),  # not tagged by itself
    "gd": (DISEASE, 1, -2.5),
    "##y": (GENE, 2, 6.0),
}
WORDS = ["the", "of", "and", "with", "met", ",", ".", "(", ")", "-", "in", "patients", "we", "saw"]


def tokenizer():
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    pieces = [*SPECIAL, *ANSWERS, *WORDS, *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return made


def graph(made):
    """labels = table[input_ids] + shapes[shape_ids]."""
    from onnx import TensorProto, helper, numpy_helper

    width = 3 * len(BIORED.entity_types)
    table = np.zeros((made.get_vocab_size(), width), dtype=np.float32)
    for word, (kind, label, logit) in ANSWERS.items():
        row = 3 * BIORED.entity_types.index(kind)
        table[made.token_to_id(word), row + label] = logit + 3.0
    table[:, 0::3] += 3.0
    shapes = np.zeros((SHAPES, width), dtype=np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["words"]),
        helper.make_node("Gather", ["shapes", "shape_ids"], ["forms"]),
        helper.make_node("Add", ["words", "forms"], ["labels"]),
    ]
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "table",
            [
                helper.make_tensor_value_info(name, TensorProto.INT64, ("B", "L"))
                for name in ("input_ids", "shape_ids")
            ],
            [helper.make_tensor_value_info("labels", TensorProto.FLOAT, ("B", "L", width))],
            [
                numpy_helper.from_array(table, "table"),
                numpy_helper.from_array(shapes, "shapes"),
            ],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
    )
    model.ir_version = 8
    return model.SerializeToString()


@pytest.fixture(scope="session")
def tagger_folder(tmp_path_factory):
    pytest.importorskip("onnx", reason="making a graph needs the extra 'train'")
    folder = tmp_path_factory.mktemp("tagger") / "table"
    folder.mkdir()
    made = tokenizer()
    made.save(str(folder / "tokenizer.json"))
    (folder / "model.onnx").write_bytes(graph(made))
    (folder / "README.md").write_text("# table\n", encoding="utf-8")
    config = {
        "format": 1,
        "name": "table",
        "reading": "tagger",
        "max_length": 48,
        "schema": BIORED.to_dict(),
        "decision": {},
        "tagger": {"thresholds": {}, "second_look": True},
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    write_manifest(folder)
    return folder


@pytest.fixture(scope="session")
def tagger(tagger_folder):
    from novelink.annotate.tagger import Tagger

    return Tagger.load(tagger_folder)


@pytest.fixture(scope="session")
def table_tokenizer():
    return tokenizer()
