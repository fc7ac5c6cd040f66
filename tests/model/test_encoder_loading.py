"""Encoders come from folders or the hub, as safetensors and without code; the rest is explained."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="model tests need the extra 'train'")

from tokenizers import BertWordPieceTokenizer  # noqa: E402 (after the skip)

from novelink.errors import ModelError  # noqa: E402
from novelink.model.encoder import load_encoder, load_tokenizer  # noqa: E402
from novelink.runtime.model_set import write_model_set  # noqa: E402

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "gene", "##s", "a", "b"]


@pytest.fixture
def folder(tmp_path, tiny_bert):
    """An encoder as the transformers library saves it, with a vocabulary of ten."""
    tiny_bert.save_pretrained(tmp_path / "encoder")
    (tmp_path / "encoder" / "vocab.txt").write_text("\n".join(VOCABULARY), encoding="utf-8")
    return tmp_path / "encoder"


def test_a_folder_gives_the_saved_weights(folder, tiny_bert):
    loaded = load_encoder(str(folder), offline=True)
    for name, value in tiny_bert.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    assert loaded.dtype == torch.float32


def test_half_precision_weights_become_float32(folder, tiny_bert):
    tiny_bert.half().save_pretrained(folder)
    assert load_encoder(str(folder)).dtype == torch.float32


def test_dropout_can_be_set(folder):
    loaded = load_encoder(str(folder), dropout=0.3, attention_dropout=0.0)
    assert loaded.config.hidden_dropout_prob == 0.3
    assert loaded.config.attention_probs_dropout_prob == 0.0
    assert loaded.embeddings.dropout.p == 0.3


def test_a_vocabulary_file_alone_gives_a_fast_tokenizer(folder):
    tokenizer = load_tokenizer(str(folder))
    assert tokenizer.encode("the genes", add_special_tokens=False).tokens == ["the", "gene", "##s"]


def test_truncation_and_padding_of_a_saved_tokenizer_are_off(folder):
    tokenizer = BertWordPieceTokenizer({word: at for at, word in enumerate(VOCABULARY)})
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=8)
    tokenizer.save(str(folder / "tokenizer.json"))
    loaded = load_tokenizer(str(folder))
    assert len(loaded.encode("the gene a b the", add_special_tokens=False).ids) == 5


def test_pubmedbert_vocabulary_file(folder):
    shared = Path(__file__).resolve().parents[3] / "shared" / "encoders" / "pubmedbert-vocab.txt"
    if not shared.exists():
        pytest.skip("the PubMedBERT vocabulary is not beside the project")
    shutil.copy(shared, folder / "vocab.txt")
    tokenizer = load_tokenizer(str(folder))
    assert tokenizer.get_vocab_size() == 30_522
    assert tokenizer.encode("Acetylcholinesterase inhibitors").tokens == [
        "[CLS]",
        "acetylcholinesterase",
        "inhibitors",
        "[SEP]",
    ]


def test_no_such_folder():
    for name in ("./nowhere", "/nowhere/at/all", "a/b/c"):
        with pytest.raises(ModelError, match="there is no encoder folder"):
            load_encoder(name)


def test_a_set_of_models_has_no_one_encoder(tmp_path, bundle_writer):
    members = [bundle_writer(tmp_path / "a")]
    write_model_set(tmp_path / "set", members, members, name="set")
    for load in (load_encoder, load_tokenizer):
        with pytest.raises(ModelError, match="is a set of models, each with an encoder of its own"):
            load(str(tmp_path / "set"))


def test_offline_says_that_it_is_not_on_disk():
    with pytest.raises(ModelError, match="is not on this disk, and offline use was asked for"):
        load_encoder("nobody/no-such-encoder", offline=True)


def test_the_environment_switches_offline_too(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="offline use was asked for"):
        load_tokenizer("nobody/no-such-encoder")


def test_an_unreachable_hub_is_named(monkeypatch):
    from transformers import AutoConfig

    def unreachable(*_, **__):
        raise OSError("We couldn't connect to the hub")

    monkeypatch.setattr(AutoConfig, "from_pretrained", unreachable)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with pytest.raises(ModelError, match="no such name or revision, or no connection"):
        load_encoder("nobody/no-such-encoder")


@pytest.fixture
def hub_copy(folder, tiny_bert, tmp_path, monkeypatch):
    """A hub encoder that was downloaded once, in two revisions: the older one is all zeros."""
    cache = tmp_path / "hub"
    model = cache / "models--some--encoder"
    for commit in ("a" * 40, "b" * 40):
        shutil.copytree(folder, model / "snapshots" / commit)
    zeros = {name: torch.zeros_like(value) for name, value in tiny_bert.state_dict().items()}
    tiny_bert.save_pretrained(model / "snapshots" / ("a" * 40), state_dict=zeros)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("b" * 40, "ascii")
    (model / "refs" / "first").write_text("a" * 40, "ascii")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    return model


@pytest.mark.parametrize(
    ("revision", "is_first"), [(None, False), ("main", False), ("first", True), ("a" * 40, True)]
)
def test_a_hub_encoder_that_is_on_disk_loads_offline_at_its_revision(hub_copy, revision, is_first):
    """A branch, a tag or a commit; nothing is asked of the hub."""
    loaded = load_encoder("some/encoder", revision=revision, offline=True)
    weights = loaded.get_input_embeddings().weight
    assert bool((weights == 0).all()) == is_first
    assert load_tokenizer("some/encoder", revision=revision, offline=True).get_vocab_size() == 10


def test_a_revision_that_is_not_on_disk_is_named(hub_copy):
    with pytest.raises(ModelError, match="'some/encoder' at revision 'third' is not on this disk"):
        load_encoder("some/encoder", revision="third", offline=True)


def test_a_hub_encoder_without_safetensors_is_refused(hub_copy):
    """Its pickled weights could run code."""
    snapshot = hub_copy / "snapshots" / ("b" * 40)
    (snapshot / "model.safetensors").rename(snapshot / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"no safetensors weights.*encoder\.revision"):
        load_encoder("some/encoder", offline=True)


def test_weights_that_are_no_safetensors_are_refused(folder):
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="has no safetensors weights"):
        load_encoder(str(folder))


def test_broken_weights_are_refused(folder):
    (folder / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelError, match="holds no encoder"):
        load_encoder(str(folder))


def test_code_of_an_encoder_is_never_run(folder):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.C", "AutoModel": "own.M"}}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "own.py").write_text("raise SystemExit('ran')", encoding="utf-8")
    with pytest.raises(ModelError, match="never done here"):
        load_encoder(str(folder))


def test_a_folder_without_an_encoder(tmp_path):
    with pytest.raises(ModelError, match="holds no encoder of the transformers library"):
        load_encoder(str(tmp_path))


def test_missing_weights_are_warned_of(folder):
    from safetensors.torch import load_file, save_file

    state = load_file(folder / "model.safetensors")
    del state["encoder.layer.1.output.dense.weight"]
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.warns(UserWarning, match=r"1 of \d+ weights are not in its file"):
        load_encoder(str(folder))


def test_loading_says_nothing_on_stderr(folder, capfd):
    load_encoder(str(folder))
    assert capfd.readouterr().err == ""
