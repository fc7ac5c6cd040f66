"""Masked-language training: what is hidden, exact resuming, a vocabulary of its own."""

from __future__ import annotations

import json
import lzma
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from processes import weights

from novelink.errors import DataError, ModelError, SettingsError
from novelink.training import pretrain as module
from novelink.training.masking import mask_words
from novelink.training.pretrain import PretrainSettings, pretrain
from novelink.training.token_stream import TokenStream, read_lines
from novelink.training.vocabulary import (
    MARKERS,
    SPECIAL_TOKENS,
    carry_embeddings,
    ensure_vocabulary,
    train_vocabulary,
)

# Vocabulary of the masking tests: 0 [PAD], 1 [CLS], 2 [SEP], 3 [MASK], 4–9 words, 10–14 their ends.
CONTINUES = np.array([index >= 10 for index in range(15)])
PROTECTED = np.array([index < 3 for index in range(15)])


def masked(ids, share, seed):
    generator = np.random.default_rng(seed)
    return mask_words(ids, CONTINUES, PROTECTED, share=share, mask_id=3, generator=generator)


@given(st.lists(st.integers(4, 14), min_size=1, max_size=60), st.floats(0, 1), st.integers(0, 999))
def test_whole_words_are_chosen_and_only_chosen_tokens_change(body, share, seed):
    ids = np.array([[1, *body, 2]])
    hidden, chosen = masked(ids, share, seed)
    assert not chosen[0, 0]
    assert not chosen[0, -1]
    assert np.array_equal(hidden[~chosen], ids[~chosen])
    for place in range(2, len(body) + 1):
        # A continuation shares its word's fate; after [CLS] it continues a word cut off before.
        if CONTINUES[ids[0, place]] and place > 1 and not PROTECTED[ids[0, place - 1]]:
            assert chosen[0, place] == chosen[0, place - 1]


def test_shares_of_words_and_of_what_becomes_of_them():
    """A fifth of the words; of these 80 % [MASK], 10 % random, 10 % as they were."""
    ids = np.tile(np.array([1, *([4, 10, 5, 6, 7, 11] * 20), 2]), (200, 1))
    hidden, chosen = masked(ids, 0.2, 0)
    starts = ~CONTINUES[ids] & ~PROTECTED[ids]
    assert chosen[starts].mean() == pytest.approx(0.2, abs=0.02)
    assert (hidden[chosen] == 3).mean() == pytest.approx(0.8, abs=0.02)
    assert (hidden[chosen] == ids[chosen]).mean() == pytest.approx(0.1 + 0.1 / 15, abs=0.02)


def test_nothing_and_everything():
    ids = np.array([[1, 4, 10, 5, 2]])
    assert not masked(ids, 0.0, 0)[1].any()
    assert masked(ids, 1.0, 0)[1].tolist() == [[False, True, True, True, False]]


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """300 documents, some of them compressed."""
    generator = np.random.default_rng(0)
    words = ["the", "gutter", "orfa", "raises", "lowers", "itch", "was", "found", "again", "first"]
    lines = [" ".join(generator.choice(words, 24)) for _ in range(300)]
    folder = tmp_path_factory.mktemp("texts")
    (folder / "a.txt").write_text("\n".join(lines[:200]) + "\n\n", encoding="utf-8")
    with lzma.open(folder / "b.txt.xz", "wt", encoding="utf-8") as out:
        out.write("\n".join(lines[200:]))
    return (str(folder / "a.txt"), str(folder / "b.txt.xz"))


@pytest.fixture
def pretraining(texts, encoder_folder, tmp_path):
    return PretrainSettings(
        texts=texts,
        encoder=str(encoder_folder),
        output=str(tmp_path / "pretrained"),
        tokens=20 * 16 * 32,
        length=32,
        batch_size=16,
        rate=3e-3,
        warmup_tokens=1000,
        decay_tokens=2000,
        precision="fp32",
        threads=1,
        checkpoint_minutes=1e9,
    )


def test_pretraining_goes_on_from_the_encoder_that_comes_along(pretraining, monkeypatch):
    """``embedded`` means here what it means to `novelink train`."""
    from novelink.model import encoder

    monkeypatch.setattr(encoder, "EMBEDDED_FOLDER", Path(pretraining.encoder))
    result = pretrain(
        replace(pretraining, encoder="embedded", tokens=2 * 16 * 32), log=lambda _: None
    )
    assert result["tokens"] == 2 * 16 * 32


def test_pretraining_learns_and_leaves_an_encoder(pretraining, tmp_path):
    from novelink.model.encoder import load_encoder, load_tokenizer

    result = pretrain(replace(pretraining, tokens=60 * 16 * 32), log=lambda _: None)
    # Ten equally likely words: untrained about ln 100, trained about ln 10 = 2.3.
    assert result["held_out_loss"] < 3.5
    assert result["tokens"] == 60 * 16 * 32
    folder = tmp_path / "pretrained" / "encoder"
    encoder = load_encoder(str(folder))
    assert encoder.config.hidden_dropout_prob == 0.1
    assert (
        len(encoder.get_input_embeddings().weight) == load_tokenizer(str(folder)).get_vocab_size()
    )
    notes = (folder / "pretraining.json").read_text(encoding="utf-8")
    assert str(tmp_path) not in notes
    assert json.loads(notes)["texts"] == ["a.txt", "b.txt.xz"]


def test_a_stopped_run_goes_on_and_ends_with_the_same_weights(pretraining, tmp_path, monkeypatch):
    unbroken = replace(pretraining, output=str(tmp_path / "unbroken"))
    pretrain(unbroken, log=lambda _: None)
    step = module._Run._one_step

    def seven_steps(run):
        value = step(run)
        if run.step == 7:
            run._stop(signal.SIGTERM)
        return value

    monkeypatch.setattr(module._Run, "_one_step", seven_steps)
    result = pretrain(pretraining, log=lambda _: None)
    assert (result["tokens"], result["stopped_by"]) == (7 * 16 * 32, "SIGTERM")
    monkeypatch.undo()
    # A kill between the renames of a checkpoint leaves only the one before.
    folder = tmp_path / "pretrained"
    (folder / "checkpoint").rename(folder / "checkpoint.old")
    lines = []
    pretrain(pretraining, log=lines.append)
    assert lines[0].startswith("resumed after 3,584 tokens")
    left, right = weights(folder / "encoder"), weights(tmp_path / "unbroken" / "encoder")
    assert all(torch.equal(left[name], right[name]) for name in right)


def test_a_checkpoint_of_other_chunks_is_refused(pretraining):
    pretrain(replace(pretraining, tokens=512), log=lambda _: None)
    with pytest.raises(SettingsError, match="was made with"):
        pretrain(replace(pretraining, batch_size=8), log=lambda _: None)


def test_too_little_text_is_said(pretraining):
    with pytest.raises(SettingsError, match="the texts give only"):
        pretrain(replace(pretraining, batch_size=100_000), log=lambda _: None)


def test_an_encoder_that_cannot_be_loaded(pretraining, tmp_path):
    with pytest.raises(ModelError, match="cannot load the encoder"):
        pretrain(replace(pretraining, encoder=str(tmp_path)), log=lambda _: None)


def test_rates_rise_stay_and_fall():
    settings = PretrainSettings(
        (), "", "", tokens=1000, rate=1.0, warmup_tokens=100, decay_tokens=200
    )
    rates = [settings.rate_at(tokens) for tokens in range(0, 1001, 50)]
    assert rates[0] < rates[1] < rates[2] == 1.0
    assert set(rates[2:16]) == {1.0}
    assert rates[17] == pytest.approx(0.75)
    assert rates[-1] == 0.0


def test_a_vocabulary_of_the_texts_own(texts, pretraining, tmp_path):
    """Frequent words become one token, and the encoder moves to it."""
    path = tmp_path / "vocabulary.json"
    ensure_vocabulary(str(path), texts, 120)
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    ids = [tokenizer.token_to_id(token) for token in (*SPECIAL_TOKENS, *MARKERS)]
    assert ids == list(range(7))
    assert tokenizer.encode("raises gutter").tokens == ["[CLS]", "raises", "gutter", "[SEP]"]
    before = path.stat().st_mtime_ns
    ensure_vocabulary(str(path), texts, 50)
    assert path.stat().st_mtime_ns == before
    pretrain(replace(pretraining, vocabulary=str(path), tokens=512), log=lambda _: None)
    state = weights(tmp_path / "pretrained" / "encoder")
    assert len(state["embeddings.word_embeddings.weight"]) == tokenizer.get_vocab_size()


def test_embeddings_are_carried_over():
    """Known tokens keep theirs, new ones get the mean of their old pieces."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    def wordpiece(pieces):
        made = Tokenizer(
            models.WordPiece({piece: at for at, piece in enumerate(pieces)}, unk_token="[UNK]")
        )
        made.normalizer = normalizers.BertNormalizer(lowercase=True)
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        return made

    old = wordpiece(["[PAD]", "[UNK]", "[CLS]", "gene", "##s", "a", "##b", "b"])
    new = wordpiece(["[PAD]", "[UNK]", "[CLS]", "genes", "gene", "##bs", "@/E", "漢"])
    vectors = np.random.default_rng(0).normal(size=(8, 5)).astype(np.float32)
    carried = carry_embeddings(old, vectors, new)
    assert np.array_equal(carried[[0, 1, 2, 4]], vectors[[0, 1, 2, 3]])
    assert np.allclose(carried[3], (vectors[3] + vectors[4]) / 2)
    assert np.allclose(carried[5], (vectors[6] + vectors[4]) / 2)
    for fresh in (6, 7):
        assert np.abs(carried[fresh] - vectors.mean(0)).max() < 0.5 * vectors.std(0).max()
    assert np.array_equal(carried, carry_embeddings(old, vectors, new))


def test_chunks_are_the_stream_cut_at_fixed_lengths(texts, tmp_path):
    tokenizer = train_vocabulary((line for line in read_lines_of(texts)), 120, min_frequency=2)
    stream = TokenStream.build(paths(texts), tokenizer, tmp_path, 16)
    sep = tokenizer.token_to_id("[SEP]")
    whole = []
    for line in read_lines_of(texts):
        whole += [*tokenizer.encode(line, add_special_tokens=False).ids, sep]
    assert stream.ids.tolist() == whole
    assert len(stream) == len(whole) // 14
    rows = stream.chunks(np.array([2, 0]))
    assert rows[:, 0].tolist() == [tokenizer.token_to_id("[CLS]")] * 2
    assert rows[:, -1].tolist() == [sep] * 2
    assert rows[0, 1:-1].tolist() == whole[28:42]
    made = list(tmp_path.iterdir())
    TokenStream.build(paths(texts), tokenizer, tmp_path, 32)
    assert list(tmp_path.iterdir()) == made


def paths(texts):
    from pathlib import Path

    return [Path(text) for text in texts]


def read_lines_of(texts):
    return [line for path in paths(texts) for line in read_lines(path)]


def test_text_files_that_cannot_be_read(tmp_path):
    (tmp_path / "latin.txt").write_bytes(b"good\n\xe9\xe8 bad\n")
    with pytest.raises(DataError, match=r"latin\.txt:\d: not UTF-8"):
        list(read_lines(tmp_path / "latin.txt"))
    (tmp_path / "cut.xz").write_bytes(lzma.compress(b"a\n" * 50_000)[:-20])
    with pytest.raises(DataError, match=r"cut\.xz:\d+: cannot read"):
        list(read_lines(tmp_path / "cut.xz"))
    tokenizer = train_vocabulary(["a b"], 60)
    with pytest.raises(DataError, match="there is no such text file"):
        TokenStream.build([tmp_path / "none.txt"], tokenizer, tmp_path, 16)
