"""A small encoder with random weights, documents it can learn, and settings for both."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="training tests need the extra 'train'")
pytest.importorskip("accelerate", reason="training tests need the extra 'train'")
torch.set_num_threads(1)

from novelink.document import Document, Mention, Relation  # noqa: E402 (after the skip)
from novelink.schema import CHEMICAL, DISEASE, GENE  # noqa: E402

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [
    *("the", "of", "in", "and", "a", "we", "found", "that", "is", "first", "known", "again"),
    *("raises", "lowers", "ignores", "orfa", "orfb", "orfc", "orfd"),
    *("gutter", "lumen", "palsy", "itch", "zelamine", "bexin", "(", ")", ",", ".", "/", "@"),
]
# verb → relation type; None where the sentence relates nothing
VERBS = {"raises": "Positive_Correlation", "lowers": "Negative_Correlation", "ignores": None}


def word_tokenizer(words=WORDS):
    """WordPiece over a few words and all letters."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    pieces = [*SPECIAL, *words, *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


def write_encoder(folder, *, hidden=32, positions=96, seed=11):
    """A two-layer BERT in the layout of the transformers library."""
    from transformers import BertConfig, BertModel

    tokenizer = word_tokenizer()
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=hidden,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=2 * hidden,
        max_position_embeddings=positions,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}), encoding="utf-8"
    )
    return folder


def sentence_document(number, generator, *, pairs=1):
    """``pairs`` sentences "GENE verb DISEASE", each about entities of its own."""
    genes = generator.sample(["orfa", "orfb", "orfc", "orfd"], pairs)
    diseases = generator.sample(["gutter", "lumen", "palsy", "itch"], pairs)
    text, mentions, relations = "", [], []
    for gene, disease in zip(genes, diseases, strict=True):
        verb = generator.choice(list(VERBS))
        novel = generator.random() < 0.5
        for word in ("we", "first" if novel else "again", "found", gene, verb, disease, "."):
            if word in (gene, disease):
                kind = GENE if word == gene else DISEASE
                mentions.append(
                    Mention(len(text), len(text) + len(word), word, kind, (f"{word}-id",))
                )
            text += f"{word} "
        if VERBS[verb]:
            novelty = "Novel" if novel else "No"
            relations.append(Relation(f"{gene}-id", f"{disease}-id", VERBS[verb], novelty))
    document = Document.from_text(str(number), text.strip())
    return document.with_mentions(mentions).with_relations(relations)


def sentence_documents(count, *, seed, pairs=1, first=0):
    """Documents whose relations a model can learn from one word each."""
    generator = random.Random(seed)
    return [sentence_document(first + index, generator, pairs=pairs) for index in range(count)]


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory):
    """Path of the small encoder; never write into it."""
    return write_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="session")
def train_documents():
    """48 documents of one pair each."""
    return sentence_documents(48, seed=1)


@pytest.fixture(scope="session")
def dev_documents():
    """24 others."""
    return sentence_documents(24, seed=2, first=1000)


@pytest.fixture
def settings(encoder_folder, tmp_path):
    """Settings of a short run in fp32 without dropout, to be changed with ``changed``."""
    from novelink.training.settings import (
        EncoderSettings,
        ModelSettings,
        OptimSettings,
        TrainSettings,
    )

    return TrainSettings(
        output=str(tmp_path / "run"),
        name="tiny",
        encoder=EncoderSettings(name=str(encoder_folder), dropout=0.0),
        model=ModelSettings(max_length=64, pair_vector="cls+entities", dropout=0.0),
        optim=OptimSettings(epochs=2, rate=1e-3, batch_tokens=256, precision="fp32", threads=1),
    )


def changed(settings, **sections):
    """Settings with other values: ``changed(settings, optim={"epochs": 1}, output="x")``."""
    new = {
        name: replace(getattr(settings, name), **values) if isinstance(values, dict) else values
        for name, values in sections.items()
    }
    return replace(settings, **new)


@pytest.fixture(scope="session")
def change():
    """The function :func:`changed`."""
    return changed


@pytest.fixture(scope="session")
def make_documents():
    """The function :func:`sentence_documents`."""
    return sentence_documents


@pytest.fixture
def trainer(settings, train_documents, dev_documents):
    """Make a trainer; its lines are kept in ``trainer.lines``."""
    from novelink.training.loop import Trainer

    def make(chosen=settings, train=train_documents, dev=dev_documents):
        lines = []
        made = Trainer(chosen, train, dev, log=lines.append)
        made.lines = lines
        return made

    return make


@pytest.fixture(scope="session")
def chemical():
    """Name of the chemical type."""
    return CHEMICAL
