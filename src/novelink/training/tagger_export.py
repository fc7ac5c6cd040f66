"""A trained tagger → the folder that tags without torch."""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import json
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from novelink.annotate.tagger.encoding import SHAPES
from novelink.annotate.tagger.tagger import INPUTS, OUTPUTS, READING
from novelink.errors import ModelError
from novelink.runtime.bundle import CARD, CONFIG, FORMAT, GRAPH, TOKENIZER, write_manifest
from novelink.schema import BIORED
from novelink.training.export import TOLERANCE
from novelink.training.masked_attention import choose_kernels, masked_attention
from novelink.training.quantisation import quantise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tokenizers import Tokenizer

    from novelink.training.tagger_model import TaggerModel

_OPSET = 17


def export_tagger(
    model: TaggerModel,
    tokenizer: Tokenizer,
    folder: Path,
    *,
    name: str,
    max_length: int,
    thresholds: Mapping[str, float],
    card: str,
    notes: Mapping[str, Any] | None = None,
    precision: str = "int8",
) -> float:
    """Write a model folder for :class:`~novelink.annotate.tagger.Tagger`.

    Args:
        model: trained.
        tokenizer: of its encoder.
        folder: made anew; an older one of this name is replaced at the end.
        name: of the model.
        max_length: tokens of a window.
        thresholds: entity type → least probability of a mention's token.
        card: text of the model card.
        notes: kept in ``config.json`` under ``training``.
        precision: ``int8`` or ``fp32``.

    Returns:
        Largest difference of a logit between torch and the float32 graph.

    Raises:
        ModelError: the graph differs from the torch model.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    model = model.cpu().eval()
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".export-") as scratch:
        fresh = Path(scratch) / "model"
        fresh.mkdir()
        graph = fresh / GRAPH
        _export_graph(model, graph)
        difference = _parity(model, graph, max_length)
        if difference > TOLERANCE:
            raise ModelError(f"the exported graph differs from the model by {difference:.2g}")
        if precision == "int8":
            quantise(graph)
        tokenizer.save(str(fresh / TOKENIZER))
        config = {
            "format": FORMAT,
            "name": name,
            "reading": READING,
            "max_length": max_length,
            "schema": BIORED.to_dict(),
            "decision": {},
            "tagger": {"thresholds": dict(thresholds), "second_look": True},
            "precision": precision,
            "versions": {
                package: importlib.metadata.version(package)
                for package in ("novelink", "torch", "transformers", "onnx", "onnxruntime")
            },
            "training": dict(notes or {}),
        }
        (fresh / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        (fresh / CARD).write_text(card, encoding="utf-8")
        write_manifest(fresh)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    return difference


def _example(generator: np.random.Generator, batch: int, length: int, size: int) -> dict[str, Any]:
    ids = generator.integers(0, size, (batch, length))
    shapes = generator.integers(0, SHAPES, (batch, length))
    return dict(zip(INPUTS, (ids, shapes), strict=True))


def _export_graph(model: TaggerModel, path: Path) -> None:
    example = _example(np.random.default_rng(0), 2, 16, model.encoder.config.vocab_size)
    axes = {name: {0: "batch", 1: "length"} for name in (*INPUTS, *OUTPUTS)}
    # The exporter and the encoder talk about tracing; what counts is checked by `_parity`.
    with (
        masked_attention(model.encoder),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            tuple(torch.from_numpy(example[name]) for name in INPUTS),
            str(path),
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes=axes,
            opset_version=_OPSET,
            dynamo=False,
        )
    choose_kernels(path)


def _parity(model: TaggerModel, graph: Path, max_length: int) -> float:
    """Largest difference of a logit over random inputs."""
    import onnxruntime

    session = onnxruntime.InferenceSession(graph.read_bytes(), providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(0)
    largest = 0.0
    for batch, length in ((1, 7), (2, min(40, max_length)), (2, min(130, max_length))):
        feed = _example(generator, batch, length, model.encoder.config.vocab_size)
        found = session.run(list(OUTPUTS), feed)[0]
        with torch.no_grad():
            wanted = model(*(torch.from_numpy(feed[name]) for name in INPUTS)).numpy()
        largest = max(largest, float(np.abs(found - wanted).max()))
    return largest
