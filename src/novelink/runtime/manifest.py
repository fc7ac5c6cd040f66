"""The manifest of a model folder: which files there are, and that they are what they were.

Nothing of a folder is used before it was compared with its size and sha256, and
nothing outside the folder is ever opened.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from novelink.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMAT = 1
"""Version of the folder's layout; another one is refused."""

MANIFEST = "manifest.json"

MOST_JSON = 64 << 20
"""Bytes of a JSON file of a model: parsed, it takes a multiple of that."""

AGAIN = "Copy or export the model again; after a change of your own, run write_manifest"


def is_inside(name: str) -> bool:
    """Whether a file's name in a manifest or graph stays inside the folder."""
    path = PurePosixPath(name)
    return (
        bool(path.parts)
        and name.isprintable()
        and not set(name) & {"\\", ":"}  # separators and drives of Windows
        and not path.is_absolute()
        and ".." not in path.parts
    )


def listed_files(data: dict[str, Any], source: str) -> dict[str, tuple[str, int]]:
    """The files of a manifest: name → sha256 and size.

    Args:
        data: the parsed manifest.
        source: its name, for the message.

    Raises:
        ModelError: it has another form, or lists files outside its folder.
    """
    try:
        files = {
            str(name): (str(entry["sha256"]), int(entry["size"]))
            for name, entry in data["files"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ModelError("not a manifest", source=source, remedy=AGAIN) from error
    for name in files:
        if not is_inside(name):
            raise ModelError(f"the manifest lists '{name}', outside the folder", source=source)
    return files


def checked_file(folder: Path, name: str, entry: tuple[str, int]) -> bytes:
    """The bytes of a file of a model folder.

    Args:
        folder: of the model.
        name: as the manifest lists it.
        entry: sha256 and size of the manifest.

    Raises:
        ModelError: it is missing, leads out of the folder, is no ordinary file,
            or differs from the manifest.
    """
    path = folder / name
    digest, size = entry
    try:
        # Looked at before it is read: a device or a huge file would never end.
        if not path.resolve(strict=True).is_relative_to(folder.resolve()):
            raise ModelError(
                "the file is a link that leads out of the model's folder",
                source=str(path),
                remedy="Copy the model with its files in place of links",
            )
        if not path.is_file():
            raise ModelError("no ordinary file", source=str(path), remedy=AGAIN)
        found_size = path.stat().st_size
        if found_size != size:
            raise ModelError(
                f"has {found_size} bytes where the manifest says {size}",
                source=str(path),
                remedy=AGAIN,
            )
        if name.endswith(".json") and size > MOST_JSON:
            raise ModelError(
                f"has {size:,} bytes; a JSON file of a model has {MOST_JSON:,} at most",
                source=str(path),
            )
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError("the file is missing", source=str(path), remedy=AGAIN) from error
    except (OSError, RuntimeError) as error:  # a circle of links is a RuntimeError
        reason = getattr(error, "strerror", None) or error
        raise ModelError(f"cannot be read: {reason}", source=str(path)) from error
    check_digest(data, digest, str(path))
    return data


def check_digest(data: bytes, digest: str, source: str) -> None:
    """Refuse bytes that are not those of the manifest.

    Raises:
        ModelError: they are not.
    """
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        raise ModelError(
            f"differs from the manifest (sha256 {found[:12]}… instead of {digest[:12]}…)",
            source=source,
            remedy=AGAIN,
        )


def check_format(data: dict[str, Any], source: str) -> None:
    """Refuse a layout of another version.

    Raises:
        ModelError: it is one.
    """
    found = data.get("format")
    if found != FORMAT:
        newer = isinstance(found, int) and found > FORMAT
        raise ModelError(
            f"the model's format is {json.dumps(found)}; this version of novelink reads {FORMAT}",
            source=source,
            remedy="Update novelink" if newer else "Export the model again with this version",
        )


def read_json(path: Path, files: Sequence[str]) -> dict[str, Any]:
    """A JSON object of a model folder.

    Args:
        path: of the file.
        files: what such a folder holds, for the message.

    Raises:
        ModelError: it is missing, cannot be read or is no JSON object.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MOST_JSON + 1)
    except FileNotFoundError as error:
        raise ModelError(
            f"no model here: {path.name} is missing",
            source=str(path.parent),
            remedy=f"A model folder holds {', '.join(files)}",
        ) from error
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", source=str(path)) from error
    return parse_json(data, str(path))


def parse_json(data: bytes, source: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ModelError: the bytes hold something else.
    """
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"not JSON: {error}", source=source, remedy=AGAIN) from error
    if not isinstance(parsed, dict):
        raise ModelError("not a JSON object", source=source, remedy=AGAIN)
    return parsed
