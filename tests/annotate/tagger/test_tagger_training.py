"""From corpora to a model folder that tags, with a tiny encoder."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="training needs the extra 'train'")
pytest.importorskip("onnx", reason="exporting needs the extra 'train'")

from novelink.annotate.tagger import Tagger  # noqa: E402 (after the skip)
from novelink.cli.train_tagger import command  # noqa: E402
from novelink.document import Document, Mention  # noqa: E402
from novelink.errors import DataError, SettingsError  # noqa: E402
from novelink.formats import read, write  # noqa: E402
from novelink.schema import BIORED, CHEMICAL, DISEASE, GENE  # noqa: E402
from novelink.training.tagger_model import IGNORED, TaggerModel  # noqa: E402
from novelink.training.tagger_samples import (  # noqa: E402
    HeldOut,
    SampleReport,
    batches,
    collate,
    make_samples,
    read_corpus,
)
from novelink.training.tagger_scores import mention_scores  # noqa: E402
from novelink.training.tagger_settings import CorpusSettings, load_tagger_settings  # noqa: E402

KINDS = {"orfx": GENE, "zelamine": CHEMICAL, "gutter disease": DISEASE}
SENTENCES = [
    "the {0} met {1} in patients with {2}.",
    "we saw {2} and {0}.",
    "{1} of the {0} met {2}, and {1}.",
]


def make(number, title="we saw patients and we saw"):
    names = list(KINDS)
    text = SENTENCES[number // 3 % 3].format(*(names[(number + shift) % 3] for shift in range(3)))
    bare = Document.from_text(str(number), f"{title} number {number}", text)
    mentions = [
        Mention(found.start(), found.end(), found[0], KINDS[found[0]])
        for found in re.finditer("|".join(KINDS), bare.text)
    ]
    return bare.with_mentions(mentions)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory, table_tokenizer):
    from transformers import BertConfig, BertModel

    torch.set_num_threads(1)
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("encoder")
    config = BertConfig(
        vocab_size=table_tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    table_tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write([make(number) for number in range(24)], folder / "train.jsonl")
    write([make(number) for number in range(100, 106)], folder / "dev.jsonl")
    return folder


@pytest.fixture(scope="module")
def recipe(encoder, data, tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "tagger.toml"
    path.write_text(
        f"""
encoder = "{encoder}"
dev = "{data}/dev.jsonl"
output = "{path.parent}/out"
max_length = 64
epochs = 16
rate = 2e-3
head_rate = 2e-2
batch_tokens = 256
threads = 1
precision = "fp32"
dropout = 0.0

[[corpora]]
path = "{data}/train.jsonl"
""",
        encoding="utf-8",
    )
    return path


def test_a_command_trains_exports_and_the_folder_tags(recipe, data):
    """Train → Dev → thresholds → int8 graph → mentions, in one go."""
    result = CliRunner().invoke(command, [str(recipe)])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["dev"]["all"]["f1"] > 90
    dev = list(read(data / "dev.jsonl"))
    tagged = list(Tagger.load(recipe.parent / "out").tag(dev))
    assert mention_scores(dev, tagged)["all"].f1 > 0.9
    config = json.loads((recipe.parent / "out" / "config.json").read_text())
    assert set(config["tagger"]["thresholds"]) == set(BIORED.entity_types)
    assert "/" not in json.dumps(config["training"]["settings"])
    # The best weights are on disk, and another run goes on from them.
    from novelink.training.tagger_loop import TaggerTrainer

    best = recipe.parent / "out-state" / "best.safetensors"
    trainer = TaggerTrainer(load_tagger_settings(recipe, [f"weights='{best}'"]), log=str)
    assert trainer.score(trainer.answers(trainer.dev))["all"].f1 * 100 == pytest.approx(
        report["dev"]["all"]["f1"], abs=0.01
    )


def test_weights_that_cannot_be_read_are_named(recipe, tmp_path):
    from novelink.training.tagger_loop import TaggerTrainer

    (tmp_path / "weights").write_bytes(b"nothing")
    with pytest.raises(SettingsError, match="go on from"):
        TaggerTrainer(load_tagger_settings(recipe, [f"weights='{tmp_path}/weights'"]), log=str)


def test_types_that_a_corpus_does_not_annotate_teach_nothing(table_tokenizer):
    from novelink.annotate.tagger.encoding import TaggerReading

    corpus = CorpusSettings("x", types=[DISEASE])
    samples = make_samples([make(0)], corpus, TaggerReading(table_tokenizer), SampleReport())
    *_, labels, _ = collate(samples, 0)
    disease = BIORED.entity_types.index(DISEASE)
    for row in range(len(BIORED.entity_types)):
        known = labels[0, row] != IGNORED
        assert known.any() == (row == disease)
    assert {int(value) for value in labels[0, disease].unique()} == {IGNORED, 0, 1, 2}


def test_ignored_labels_have_no_gradient(encoder):
    from novelink.model.encoder import load_encoder

    model = TaggerModel(load_encoder(str(encoder)), len(BIORED.entity_types), 0.0)
    logits = torch.randn(1, 4, 18, requires_grad=True)
    labels = torch.full((1, 6, 4), IGNORED)
    labels[0, 2] = 1
    model.loss(logits, labels, torch.ones(1)).backward()
    touched = logits.grad.view(4, 6, 3).abs().sum(dim=(0, 2)) > 0
    assert touched.tolist() == [False, False, True, False, False, False]


def test_held_out_documents_are_told_by_id_and_by_title(data, tmp_path):
    same_title = Document.from_text("999", make(3).passages[0].text, "Something else.")
    held_out = HeldOut([make(5), same_title])
    documents, report = read_corpus(CorpusSettings(str(data / "train.jsonl")), held_out)
    assert report.held_out == 2
    assert {"3", "5"}.isdisjoint(document.id for document in documents)


def test_a_corpus_of_which_nothing_is_left_is_an_error(data):
    everything = HeldOut(read(data / "train.jsonl"))
    with pytest.raises(DataError, match="no document"):
        read_corpus(CorpusSettings(str(data / "train.jsonl")), everything)


def test_batches_keep_every_sample_and_the_token_limit(table_tokenizer):
    import numpy as np

    from novelink.annotate.tagger.encoding import TaggerReading

    documents = [make(number) for number in range(30)]
    samples = make_samples(
        documents, CorpusSettings("x"), TaggerReading(table_tokenizer), SampleReport()
    )
    groups = list(batches(samples, 256, np.random.default_rng(0)))
    assert sum(map(len, groups)) == 30
    for group in groups:
        ids, *_ = collate(group, 0)
        assert ids.numel() <= 256
        assert ids.shape[1] % 64 == 0


def test_scores_count_exact_spans_and_types():
    gold = Document.from_text("1", "ab cd", mentions=[Mention(0, 2, "ab", GENE)])
    found = gold.with_mentions([Mention(0, 2, "ab", GENE), Mention(3, 5, "cd", GENE)])
    score = mention_scores([gold], [found])["all"]
    assert (score.precision, score.recall) == (0.5, 1.0)
    assert score.f1 == pytest.approx(2 / 3)
    wrong_type = gold.with_mentions([Mention(0, 2, "ab", DISEASE)])
    assert mention_scores([gold], [wrong_type])["all"].f1 == 0.0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("epoch = 3", "unknown setting 'epoch'"),
        ("epochs = 'three'", "'epochs' must be int"),
        ("corpora = [{path = 'x', typs = []}]", "typs"),
        ("corpora = [{path = 'x', types = ['Gene']}]", "unknown entity type 'Gene'"),
    ],
)
def test_wrong_settings_are_named(tmp_path, line, message):
    path = tmp_path / "wrong.toml"
    path.write_text(line + "\n")
    with pytest.raises(SettingsError, match=message):
        _ = load_tagger_settings(path).sources


def test_training_begins_with_the_encoder_that_comes_along(recipe, encoder, monkeypatch):
    """``embedded`` means here what it means to `novelink train`."""
    from novelink.model import encoder as module
    from novelink.training.tagger_loop import TaggerTrainer
    from novelink.training.tagger_settings import TaggerSettings

    assert TaggerSettings().encoder == module.EMBEDDED_ENCODER
    monkeypatch.setattr(module, "EMBEDDED_FOLDER", encoder)
    trainer = TaggerTrainer(load_tagger_settings(recipe, ["encoder='embedded'"]), log=str)
    assert trainer.model.encoder.config.hidden_size == 32


def test_training_needs_dev():
    from novelink.training.tagger_loop import TaggerTrainer
    from novelink.training.tagger_settings import TaggerSettings

    with pytest.raises(SettingsError, match="choose by"):
        TaggerTrainer(TaggerSettings())
