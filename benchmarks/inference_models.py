"""Models for timing: the shipped encoder's architecture, and BERT-base's, with random heads.

python benchmarks/inference_models.py FOLDER
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from transformers import AutoConfig, BertConfig, BertModel

from novelink.decode import DecisionSettings
from novelink.model.encoder import encoder_name
from novelink.training.export import export_model
from novelink.training.settings import EncoderSettings, ModelSettings, TrainSettings
from novelink.training.task_model import build_model


def base_encoder(folder):
    """Random weights of BERT-base's size with the shipped encoder's vocabulary."""
    shipped = Path(encoder_name("embedded"))
    vocabulary = AutoConfig.from_pretrained(shipped).vocab_size
    BertModel(BertConfig(vocab_size=vocabulary)).save_pretrained(folder)
    shutil.copy(shipped / "tokenizer.json", folder)
    return folder


def make(encoder, reading, name, target, precisions):
    settings = TrainSettings(
        name=name,
        encoder=EncoderSettings(name=str(encoder)),
        model=ModelSettings(reading=reading, max_length=512),
    )
    built = build_model(settings)
    for precision in precisions:
        folder = target / f"{name}-{precision}"
        export_model(built, folder, DecisionSettings(threshold=0.5), precision=precision)


def main():
    target = Path(sys.argv[1])
    make("embedded", "document", "document", target, ("fp32", "int8"))
    make("embedded", "pair", "pair", target, ("fp32", "int8"))
    make(base_encoder(target / "base-encoder"), "pair", "base", target, ("fp32",))
    shutil.rmtree(target / "base-encoder")
    print(json.dumps(sorted(path.name for path in target.iterdir())))


if __name__ == "__main__":
    main()
