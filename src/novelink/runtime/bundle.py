"""A model as a folder of open files, checked file by file when it is opened.

.. code-block:: text

    config.json      name, reading, schema, lengths, decision settings
    tokenizer.json   the tokenizer, as the `tokenizers` library writes it
    model.onnx       the graph with its weights
    README.md        the model card
    manifest.json    size and sha256 of every file above

Nothing in it is code or pickled. Models that ship with the package live in
``novelink/models/<name>/``; the text file ``novelink/models/default`` names the
one that is used when none is asked for.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from novelink.errors import ModelError, SettingsError
from novelink.runtime.difference import SUFFIX, difference_file, rebuilt_file
from novelink.runtime.graph_file import GraphFile, read_graph_file
from novelink.runtime.manifest import (
    AGAIN,
    FORMAT,
    MANIFEST,
    check_format,
    checked_file,
    is_inside,
    listed_files,
    parse_json,
    read_json,
)
from novelink.schema import Schema
from novelink.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tokenizers import Tokenizer

__all__ = [
    "CARD",
    "CONFIG",
    "EMBEDDED",
    "FORMAT",
    "GRAPH",
    "MANIFEST",
    "REQUIRED",
    "TOKENIZER",
    "Bundle",
    "default_name",
    "embedded_names",
    "find_bundle",
    "load_bundle",
    "unlisted_files",
    "write_manifest",
]

_LOG = logging.getLogger(__name__)

CONFIG, TOKENIZER, GRAPH, CARD = "config.json", "tokenizer.json", "model.onnx", "README.md"
REQUIRED = (CONFIG, TOKENIZER, GRAPH, CARD)

EMBEDDED = Path(__file__).resolve().parent.parent / "models"
"""Where the models that ship with the package live."""

_TRIAL = "Aa 1 β \U0010fffd"

_LONGEST_INPUT = 1 << 20
"""Tokens; longer inputs would need more memory for attention than any machine has."""


@dataclass(frozen=True)
class Bundle:
    """An opened model folder; every file of it has been checked.

    Attributes:
        folder: where it lies.
        name: the model's name.
        reading: ``"pair"``, ``"entity"`` or ``"document"``: how texts become its input.
        schema: the vocabulary it was trained for.
        max_length: longest input in tokens.
        decision: thresholds and temperatures, see :mod:`novelink.decode`.
        config: the whole ``config.json``.
        files: file name → its size in bytes.
        graph: what the ONNX file says about itself.
    """

    folder: Path
    name: str
    reading: str
    schema: Schema
    max_length: int
    decision: dict[str, float]
    config: dict[str, Any] = field(repr=False)
    files: dict[str, int] = field(repr=False)
    graph: GraphFile = field(repr=False)
    contents: dict[str, bytes] = field(repr=False, compare=False)

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(self.files.values())

    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer.

        Raises:
            ModelError: the file holds no tokenizer.
        """
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_buffer(self.contents[TOKENIZER])
            # One that has no token for the unknown opens, and fails at the first odd character.
            tokenizer.encode(_TRIAL)
        except BaseException as error:  # bare Exception for every fault; a panic is not even that
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            raise ModelError(
                f"not a tokenizer: {error}", source=str(self.folder / TOKENIZER)
            ) from error
        # What was set while training must not cut or pad texts unseen here.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer


def embedded_names() -> list[str]:
    """Names of the models that ship with the package, sorted."""
    if not EMBEDDED.is_dir():
        return []
    return sorted(path.parent.name for path in EMBEDDED.glob(f"*/{MANIFEST}"))


def default_name() -> str:
    """The model that is used when none is asked for.

    Raises:
        ModelError: this installation ships none.
    """
    try:
        return (EMBEDDED / "default").read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ModelError(
            "this installation has no embedded model",
            remedy="Give a model folder with --model FOLDER",
        ) from error


def find_bundle(model: str | os.PathLike[str] | None = None) -> Path:
    """The folder of a model.

    Args:
        model: name of an embedded model, a folder, or None for the default. A
            bare name means the embedded model first, then a folder.

    Raises:
        ModelError: there is no such model.
    """
    wanted = default_name() if model is None else os.fspath(model)
    if wanted in embedded_names():
        return EMBEDDED / wanted
    folder = Path(wanted).expanduser()
    if folder.is_dir():
        return folder
    names = ", ".join(embedded_names()) or "none"
    raise ModelError(
        f"there is no model '{wanted}'",
        remedy=f"Embedded models: {names}; or give the folder of a model",
    )


def load_bundle(model: str | os.PathLike[str] | None = None) -> Bundle:
    """Open a model and check every file of it.

    Args:
        model: name of an embedded model, a folder, or None for the default.

    Raises:
        ModelError: there is no such model; a file is missing or differs from
            the manifest; the format is of another version; the graph keeps
            weights in files outside the folder.
    """
    folder = find_bundle(model)
    manifest = _read_manifest(folder)
    contents: dict[str, bytes] = {}
    for name, entry in manifest.items():
        difference = difference_file(folder, name) if folder.parent == EMBEDDED else None
        if difference is None:
            data = checked_file(folder, name, entry)
        else:
            data = rebuilt_file(folder, name, entry, difference)
        if name in REQUIRED:
            contents[name] = data
    _LOG.info("%s: %d files as the manifest says", folder, len(manifest))
    graph = read_graph_file(contents[GRAPH], source=str(folder / GRAPH))
    for location in graph.external_files:
        if not is_inside(location) or location not in manifest:
            raise ModelError(
                f"the graph keeps weights in '{location}', which is not one of the model's files",
                source=str(folder / GRAPH),
                remedy="Export the model with its weights inside, or list the file in the manifest",
            )
    return _bundle(folder, contents, {name: entry[1] for name, entry in manifest.items()}, graph)


def write_manifest(folder: str | os.PathLike[str]) -> Path:
    """Write ``manifest.json`` for the files now in a model folder.

    Hidden files are left out. To be called last, after every change.

    Returns:
        The manifest's path.

    Raises:
        ModelError: a file that every model needs is missing.
    """
    folder = Path(folder)
    for name in REQUIRED:
        if not (folder / name).is_file():
            raise ModelError(f"the model folder has no {name}", source=str(folder))
    files = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for name in _files(folder)
        for data in [(folder / name).read_bytes()]
    }
    target = folder / MANIFEST
    text = json.dumps({"format": FORMAT, "files": files}, indent=2) + "\n"
    with whole_file(target) as fresh:
        fresh.write_text(text, encoding="utf-8")
    return target


def unlisted_files(bundle: Bundle) -> list[str]:
    """Files in the folder that the manifest does not name; they are never read."""
    return [name for name in _files(bundle.folder) if name not in bundle.files]


def _files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        name = "/".join(parts)
        is_own = name != MANIFEST and path.suffix != SUFFIX
        if path.is_file() and is_own and not any(part[0] == "." for part in parts):
            yield name


def _read_manifest(folder: Path) -> dict[str, tuple[str, int]]:
    """File name → sha256 and size."""
    source = str(folder / MANIFEST)
    data = read_json(folder / MANIFEST, (*REQUIRED, MANIFEST))
    check_format(data, source)
    files = listed_files(data, source)
    for name in REQUIRED:
        if name not in files:
            raise ModelError(f"the manifest does not list {name}", source=source, remedy=AGAIN)
    return files


def _bundle(
    folder: Path, contents: dict[str, bytes], files: dict[str, int], graph: GraphFile
) -> Bundle:
    source = str(folder / CONFIG)
    config = parse_json(contents[CONFIG], source)
    check_format(config, source)
    try:
        return Bundle(
            folder=folder,
            name=str(config["name"]),
            reading=str(config["reading"]),
            schema=Schema.from_dict(config["schema"], source=source),
            max_length=_max_length(config["max_length"]),
            decision={str(key): float(value) for key, value in config["decision"].items()},
            config=config,
            files=files,
            graph=graph,
            contents=contents,
        )
    except KeyError as error:
        raise ModelError(f"the key {error} is missing", source=source, remedy=AGAIN) from error
    except (SettingsError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ModelError(f"cannot be used: {error}", source=source, remedy=AGAIN) from error


def _max_length(value: Any) -> int:
    found = int(value)
    if not 1 <= found <= _LONGEST_INPUT:
        raise ValueError(f"max_length is not within 1–{_LONGEST_INPUT:,}")
    return found
