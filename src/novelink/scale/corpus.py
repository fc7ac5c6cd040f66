"""Which files a run reads: paths, folders, globs and URLs, in a fixed order.

Each file gets a name that does not depend on where the run is started: the base
name of a file, the path below a folder or below the fixed part of a glob. Parts
and journal go by that name.
"""

from __future__ import annotations

import glob
import hashlib
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from novelink.errors import DataError, SettingsError
from novelink.scale.storage import file_system, is_url, local_path

_MAGIC = "*?["


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """One file to read.

    Attributes:
        name: stable and unique within a run.
        place: path or URL.
        size: bytes as stored.
        stamp: time of the last change or the store's version tag; empty where
            the store tells none.
        chosen: whether the user named the file itself, rather than a folder or
            pattern that holds it: then it must hold documents.
    """

    name: str
    place: str
    size: int
    stamp: str = ""
    chosen: bool = True


@dataclass(slots=True)
class Corpus:
    """The files of a run.

    Attributes:
        files: in the order in which they are read.
        notes: what was left out → how often.
    """

    files: list[CorpusFile] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        """Bytes of all files, as stored."""
        return sum(file.size for file in self.files)


def is_corpus(place: str) -> bool:
    """Whether an input is more than one plain file: a folder, glob, URL or archive."""
    place = local_path(place)
    if is_url(place):
        return True
    if place.lower().endswith((".tar", ".tar.gz", ".tgz")):
        return True
    path = Path(place)
    return path.is_dir() or (any(sign in place for sign in _MAGIC) and not path.exists())


def find_files(inputs: tuple[str, ...] | list[str], *, output: str | None = None) -> Corpus:
    """The files that inputs stand for.

    Args:
        inputs: paths, folders, globs, URLs, in the order to read.
        output: folder of the results, which must not be among them.

    Raises:
        DataError: an input does not exist or holds no files.
        SettingsError: standard input, or results inside a folder that is read.
    """
    corpus = Corpus()
    places: set[str] = set()
    names: set[str] = set()
    for given in inputs:
        found = _remote(given) if is_url(local_path(given)) else _local(local_path(given), output)
        for file in found:
            if file.place in places:
                corpus.notes["files named twice, read once"] += 1
                continue
            places.add(file.place)
            unique = file if file.name not in names else _renamed(file)
            names.add(unique.name)
            corpus.files.append(unique)
    return corpus


def _renamed(file: CorpusFile) -> CorpusFile:
    """Another name for the second file of the same name, from where it lies."""
    mark = hashlib.sha256(file.place.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return CorpusFile(f"{mark}/{file.name}", file.place, file.size, file.stamp, file.chosen)


def _local(given: str, output: str | None) -> list[CorpusFile]:
    if given == "-":
        raise SettingsError(
            "a run into a folder cannot read standard input, because it could not be resumed",
            remedy="Name files, folders or patterns",
        )
    path = Path(given)
    if path.is_dir():
        _outside(path, output)
        inner = sorted(
            (item for item in path.rglob("*") if item.is_file() and not _hidden(item, path)),
            key=lambda item: item.relative_to(path).as_posix(),
        )
        if not inner:
            raise DataError("the folder holds no files", source=given)
        return [_file(item, item.relative_to(path).as_posix(), chosen=False) for item in inner]
    if any(sign in given for sign in _MAGIC) and not path.exists():
        fixed = _fixed_part(given)
        _outside(fixed, output)
        found = glob.glob(given, recursive=True)  # noqa: PTH207 (Path.glob takes no absolute one)
        matches = sorted(item for item in map(Path, found) if item.is_file())
        if not matches:
            raise DataError(
                "no file matches", source=given, remedy="Put the pattern in quotes and check it"
            )
        return [_file(item, _below(item, fixed), chosen=False) for item in matches]
    return [_file(path, path.name, chosen=True)]


def _outside(folder: Path, output: str | None) -> None:
    if output is None or is_url(output):
        return
    results, source = Path(output).resolve(), folder.resolve()
    if results == source or source in results.parents:
        raise SettingsError(
            f"the results ({output}) would lie inside the input folder {folder}",
            remedy="Write them beside it, so that they are not read as input",
        )


def _hidden(item: Path, top: Path) -> bool:
    return any(part.startswith((".", "_")) for part in item.relative_to(top).parts)


def _fixed_part(pattern: str) -> Path:
    parts = Path(pattern).parts
    kept = []
    for part in parts:
        if any(sign in part for sign in _MAGIC):
            break
        kept.append(part)
    return Path(*kept)


def _below(item: Path, top: Path) -> str:
    return Path(os.path.relpath(item, top)).as_posix()


def _file(path: Path, name: str, *, chosen: bool) -> CorpusFile:
    try:
        found = path.stat()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise DataError(
            "no such file" if missing else f"cannot open: {error.strerror}",
            source=str(path),
            remedy="Check the path" if missing else None,
        ) from error
    return CorpusFile(name, str(path), found.st_size, str(found.st_mtime_ns), chosen)


def _remote(given: str) -> list[CorpusFile]:
    system, path = file_system(given)
    protocol = given.partition("://")[0]
    try:
        if any(sign in path for sign in _MAGIC):
            fixed = "/".join(_until_magic(path.split("/")))
            found = dict(system.glob(path, detail=True))
            chosen = False
        elif system.isdir(path):
            fixed, chosen = path, False
            found = system.find(path, detail=True)
        else:
            fixed, chosen = path.rpartition("/")[0], True
            found = {path: system.info(path)}
    except FileNotFoundError as error:
        raise DataError("no such file", source=given, remedy="Check the URL") from error
    except Exception as error:  # drivers of object stores raise classes of their own
        raise DataError(f"cannot open: {error}", source=given) from error
    files = []
    for place, info in sorted(found.items()):
        name = place.removeprefix(fixed).lstrip("/") or PurePosixPath(place).name
        if info.get("type") == "directory":
            continue
        if not chosen and any(part.startswith((".", "_")) for part in name.split("/")):
            continue
        stamp = next((str(info[key]) for key in ("ETag", "etag", "mtime") if info.get(key)), "")
        url = f"{protocol}://{place.lstrip('/') if protocol != 'memory' else place}"
        files.append(CorpusFile(name, url, int(info.get("size") or 0), stamp, chosen))
    if not files:
        raise DataError("no file matches", source=given, remedy="Check the URL")
    return files


def _until_magic(parts: list[str]) -> list[str]:
    kept = []
    for part in parts:
        if any(sign in part for sign in _MAGIC):
            break
        kept.append(part)
    return kept
