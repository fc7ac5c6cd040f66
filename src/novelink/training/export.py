"""A trained model → the folder that predicts without torch."""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import json
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from novelink.errors import ModelError, SettingsError
from novelink.runtime.bundle import CARD, CONFIG, FORMAT, GRAPH, TOKENIZER, write_manifest
from novelink.training.graphs import traced_graph
from novelink.training.masked_attention import choose_kernels, masked_attention
from novelink.training.quantisation import quantise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from novelink.decode import DecisionSettings
    from novelink.training.settings import TrainSettings
    from novelink.training.task_model import TaskModel

PRECISIONS = ("fp32", "int8")
TOLERANCE = 1e-3
"""Largest difference between a torch and an ONNX logit in float32."""

_OPSET = 17


def export_model(
    model: TaskModel,
    folder: Path,
    decision: DecisionSettings,
    *,
    precision: str = "int8",
    notes: Mapping[str, Any] | None = None,
    card: str | None = None,
) -> float:
    """Write a model folder for the extractor.

    Args:
        model: trained.
        folder: made anew; an older one of this name is replaced at the end.
        decision: thresholds and temperatures.
        precision: ``fp32``, or ``int8`` (dynamic quantisation of the matrix
            products, per channel; a quarter of the size and faster).
        notes: kept in ``config.json`` under ``training``.
        card: text of the model card; a short one is written otherwise.

    Returns:
        Largest difference of a logit between torch and the float32 graph.

    Raises:
        SettingsError: unknown precision.
        ModelError: the graph differs from the torch model.
    """
    if precision not in PRECISIONS:
        raise SettingsError(
            f"unknown precision '{precision}'", remedy=f"Choose one of: {', '.join(PRECISIONS)}"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".export-") as scratch:
        fresh = Path(scratch) / "model"
        fresh.mkdir()
        graph = fresh / GRAPH
        _export_graph(model, graph)
        difference = parity(model, graph)
        if difference > TOLERANCE:
            raise ModelError(f"the exported graph differs from the model by {difference:.2g}")
        if precision == "int8":
            quantise(graph)
        model.tokenizer.save(str(fresh / TOKENIZER))
        name = model.settings.name
        config = {
            "format": FORMAT,
            "name": name,
            "reading": model.settings.model.reading,
            "max_length": model.settings.model.max_length,
            "schema": model.schema.to_dict(),
            "decision": decision.to_dict(),
            "precision": precision,
            "tasks": sorted(model.tasks),
            "versions": {
                package: importlib.metadata.version(package)
                for package in ("novelink", "torch", "transformers", "onnx", "onnxruntime")
            },
            "training": {"settings": _shareable(model.settings), **(notes or {})},
        }
        (fresh / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        (fresh / CARD).write_text(card or _short_card(name, model), encoding="utf-8")
        write_manifest(fresh)
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        fresh.rename(folder)
    return difference


def _shareable(settings: TrainSettings) -> dict[str, Any]:
    """Settings with names of files and folders in place of their paths."""
    values = settings.to_dict()
    values["output"] = Path(settings.output).name
    files = {"data": ("train", "dev", "schema"), "teacher": ("labels", "documents")}
    for section, keys in files.items():
        for key in keys:
            if values[section][key]:
                values[section][key] = Path(values[section][key]).name
    if Path(settings.encoder.name).is_dir():
        values["encoder"]["name"] = Path(settings.encoder.name).resolve().name
    return values


def parity(model: TaskModel, graph: Path, *, seed: int = 0) -> float:
    """Largest difference of an output between torch and a graph, over random inputs."""
    import onnxruntime

    session = onnxruntime.InferenceSession(graph.read_bytes(), providers=["CPUExecutionProvider"])
    generator = np.random.default_rng(seed)
    traced = traced_graph(model)
    module = traced.module.eval()
    largest = 0.0
    longest = model.settings.model.max_length
    for batch, length in ((1, 7), (3, min(40, longest)), (2, min(130, longest))):
        feed = traced.example(generator, batch, length)
        found = session.run(list(traced.outputs), feed)
        with torch.no_grad():
            wanted = module(*(torch.from_numpy(feed[name]) for name in traced.inputs))
        for left, right in zip(found, wanted, strict=True):
            largest = max(largest, float(np.abs(left - right.numpy()).max()))
    return largest


def _export_graph(model: TaskModel, path: Path) -> None:
    traced = traced_graph(model)
    example = traced.example(np.random.default_rng(0), 2, 16)
    # The exporter and the encoder talk about tracing; what counts is checked by `parity`.
    with (
        masked_attention(model.model.encoder),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            traced.module.eval(),
            tuple(torch.from_numpy(example[name]) for name in traced.inputs),
            str(path),
            input_names=list(traced.inputs),
            output_names=list(traced.outputs),
            dynamic_axes=traced.axes,
            opset_version=_OPSET,
            dynamo=False,
        )
    choose_kernels(path)


def _short_card(name: str, model: TaskModel) -> str:
    return (
        f"---\nname: {name}\nlibrary: novelink\nschema: {model.schema.name}\n---\n"
        f"# {name}\nA {model.settings.model.reading} model made by `novelink train` from the "
        f"encoder `{_shareable(model.settings)['encoder']['name']}`. Settings are in config.json.\n"
    )
