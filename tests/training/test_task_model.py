"""Building a model: markers become tokens, lengths fit the encoder."""

from __future__ import annotations

import pytest
import torch

from novelink.errors import ModelError, SettingsError
from novelink.model.encoder import encoder_name, load_encoder, load_tokenizer
from novelink.reading.document import type_markers
from novelink.schema import BIORED
from novelink.training.task_model import build_model, save_model


def test_pair_markers_get_rows_of_their_own(settings, encoder_folder):
    old = load_encoder(str(encoder_folder)).get_input_embeddings().weight
    made = build_model(settings)
    new = made.model.encoder.get_input_embeddings().weight
    assert len(new) == len(old) + 2 == made.tokenizer.get_vocab_size()
    assert torch.equal(new[: len(old)], old)
    ids = made.tokenizer.encode("@/E orfa E/@", add_special_tokens=False).ids
    assert ids == [len(old), made.tokenizer.token_to_id("orfa"), len(old) + 1]


def test_type_markers_begin_as_the_words_of_their_type(settings, change, encoder_folder):
    made = build_model(change(settings, model={"reading": "document"}))
    weight = made.model.encoder.get_input_embeddings().weight
    start, _ = type_markers("GeneOrGeneProduct")
    words = load_tokenizer(str(encoder_folder)).encode(
        "gene or gene product", add_special_tokens=False
    )
    wanted = weight[words.ids].mean(0)
    assert torch.allclose(weight[made.tokenizer.token_to_id(start)], wanted, atol=1e-6)
    assert made.tokenizer.get_vocab_size() == len(weight)
    assert len(BIORED.entity_types) == 6


def test_new_weights_come_from_the_seed(settings, change):
    torch.manual_seed(99)
    first = build_model(settings).model.state_dict()
    torch.manual_seed(7)
    again = build_model(settings).model.state_dict()
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    other = build_model(change(settings, optim={"seed": 5})).model.state_dict()
    assert not torch.equal(first["relation.linear.weight"], other["relation.linear.weight"])


def test_a_window_beyond_the_encoders_positions_is_refused(settings, change):
    with pytest.raises(SettingsError, match="max_length is 128, the encoder reads 96 tokens"):
        build_model(change(settings, model={"max_length": 128}))


@pytest.fixture
def other_encoder(tmp_path):
    """Write an encoder of another kind, with RoBERTa's names of special tokens."""
    from transformers import DistilBertConfig, DistilBertModel, RobertaConfig, RobertaModel

    def write(kind):
        from tokenizers import Tokenizer, models, pre_tokenizers

        special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        vocabulary = {word: at for at, word in enumerate([*special, "orfa", "raises"])}
        tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        tokenizer.add_special_tokens(special)
        size = {"vocab_size": len(vocabulary), "pad_token_id": 1}
        if kind == "roberta":
            config = RobertaConfig(
                **size,
                hidden_size=16,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=32,
                max_position_embeddings=98,
            )
            RobertaModel(config).save_pretrained(tmp_path)
        else:
            config = DistilBertConfig(
                **size, dim=16, n_layers=2, n_heads=2, hidden_dim=32, max_position_embeddings=96
            )
            DistilBertModel(config).save_pretrained(tmp_path)
        tokenizer.save(str(tmp_path / "tokenizer.json"))
        return str(tmp_path)

    return write


@pytest.mark.parametrize("kind", ["roberta", "distilbert"])
def test_other_kinds_of_encoders_train_and_export(settings, change, trainer, other_encoder, kind):
    from novelink.decode import DecisionSettings
    from novelink.training.export import export_model

    chosen = change(
        settings,
        encoder={"name": other_encoder(kind), "dropout": 0.2, "attention_dropout": 0.0},
        model={"max_length": 96},
        optim={"epochs": 1},
    )
    made = trainer(chosen)
    dropouts = {module.p for module in made.model.encoder.modules() if hasattr(module, "p")}
    assert 0.2 in dropouts
    made.run()
    folder = made.output / "model"
    assert export_model(made.task_model, folder, DecisionSettings(), precision="fp32") < 1e-3


def test_the_padding_tokens_positions_count_as_taken(settings, change, other_encoder):
    """98 positions, of which RoBERTa's first two are never used."""
    name = other_encoder("roberta")
    with pytest.raises(SettingsError, match="the encoder reads 96 tokens"):
        build_model(change(settings, encoder={"name": name}, model={"max_length": 97}))


def test_document_reading_needs_layers_to_copy(settings, change, other_encoder):
    name = other_encoder("distilbert")
    with pytest.raises(SettingsError, match="DistilBertModel has none"):
        build_model(change(settings, encoder={"name": name}, model={"reading": "document"}))


def test_an_unknown_reading(settings, change):
    with pytest.raises(SettingsError, match=r"unknown reading 'twice'.*pair, document"):
        build_model(change(settings, model={"reading": "twice"}))


def test_encoders_that_are_not_embedded_keep_their_name():
    assert encoder_name("some/encoder") == "some/encoder"
    assert encoder_name("./embedded") == "./embedded"


def test_the_embedded_encoder_is_a_folder_of_the_package():
    try:
        folder = encoder_name("embedded")
    except ModelError:
        pytest.skip("this installation ships no encoder")
    assert load_tokenizer(folder).token_to_id("[CLS]") is not None


def test_markers_that_a_model_learned_are_kept(settings, change, tmp_path):
    """Those it lacks start from the words of their type."""
    learned = build_model(change(settings, model={"reading": "document"}))
    with torch.no_grad():
        learned.model.encoder.get_input_embeddings().weight.add_(0.5)
    save_model(learned, tmp_path / "learned")
    made = build_model(
        change(settings, encoder={"name": str(tmp_path / "learned")}, model={"reading": "entity"})
    )
    before, after = (one.model.encoder.get_input_embeddings().weight for one in (learned, made))
    assert made.tokenizer.token_to_id("@/E") is not None
    assert learned.tokenizer.token_to_id("@/E") is None
    for marker in ("<GeneOrGeneProduct>", "</DiseaseOrPhenotypicFeature>"):
        number = learned.tokenizer.token_to_id(marker)
        assert made.tokenizer.token_to_id(marker) == number
        assert torch.equal(before[number], after[number])


def test_a_run_can_go_on_with_the_heads_of_a_trained_model(settings, change, tmp_path):
    trained = build_model(change(settings, model={"reading": "entity"}, optim={"seed": 5}))
    folder = tmp_path / "best"
    save_model(trained, folder)
    start = change(settings, encoder={"name": str(folder)}, model={"reading": "entity"})
    fresh = build_model(start)
    kept = build_model(change(start, encoder={"with_heads": True}))
    theirs, ours, others = (one.model.state_dict() for one in (trained, kept, fresh))
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())
    name = "relation.linear.weight"
    assert not torch.equal(others[name], theirs[name])
    # Reading the whole document once has the same heads.
    once = build_model(change(start, encoder={"with_heads": True}, model={"reading": "document"}))
    assert once.reading.kind == "document"
    ours = once.model.state_dict()
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())
    for other in ({"model": {"reading": "pair"}}, {"tasks": {"direction": 0.3}}):
        chosen = change(start, encoder={"with_heads": True}, **other)
        with pytest.raises(SettingsError, match="of another reading"):
            build_model(chosen)
    with pytest.raises(SettingsError, match="no trained model with heads"):
        build_model(change(settings, encoder={"with_heads": True}))
