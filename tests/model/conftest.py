"""One thread, so that tests that share a machine do not fight for cores."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="model tests need the extra 'train'")
torch.set_num_threads(1)


@pytest.fixture
def tiny_bert():
    """A BERT of two layers with random weights, in evaluation mode."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=60,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        attn_implementation="eager",
    )
    return BertModel(config).eval()
