"""What this installation has, and whether it works: the checks behind ``novelink doctor``."""

from __future__ import annotations

import importlib.metadata
import locale
import os
import platform
import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from novelink import __version__
from novelink.errors import NovelinkError
from novelink.machine import available_cores, has_int8_instructions, memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Status = Literal["ok", "note", "fail"]

_MODULES = ("numpy", "onnxruntime", "tokenizers", "httpx", "defusedxml", "click")
_LITTLE_MEMORY = 1_000_000_000  # bytes
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)[^;]*(?:;\s*extra == [\"'](\w+)[\"'])?")


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        check: what was looked at.
        status: ``ok``, ``fail``, or ``note`` for what is worth knowing and no
            fault.
        text: the result in words, with a remedy for a fault.
        details: the same for machines; sizes in bytes, times in seconds.
    """

    check: str
    status: Status
    text: str
    details: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As ``novelink doctor --json`` has it."""
        return {
            "check": self.check,
            "status": self.status,
            "text": self.text,
            "details": self.details,
        }


def diagnose(models: Iterable[str | os.PathLike[str]] | None = None) -> Iterator[Finding]:
    """All checks, one after another; nothing is sent anywhere.

    Args:
        models: names or folders of the models to test; all that came along by
            default.
    """
    yield _versions()
    yield from _packages()
    yield from _extras()
    yield _processor()
    yield _memory()
    yield _text()
    yield _scratch()
    yield from _lexicon()
    yield from _models(models)


def _versions() -> Finding:
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    details = {"novelink": __version__, "python": platform.python_version(), "system": system}
    text = f"novelink {__version__}, Python {platform.python_version()}, {system}"
    return Finding("versions", "ok", text, details)


def _packages() -> Iterator[Finding]:
    found: dict[str, str] = {}
    for name in _MODULES:
        try:
            import_module(name)
            found[name] = importlib.metadata.version(name)
        except (ImportError, OSError) as error:  # OSError: a library of the system is missing
            text = f"{name} cannot be loaded: {error}. Install novelink again"
            yield Finding("packages", "fail", text, {"package": name})
    text = ", ".join(f"{name} {version}" for name, version in found.items())
    yield Finding("packages", "ok", text, found)


def _extras() -> Iterator[Finding]:
    try:
        requirements = importlib.metadata.requires("novelink") or []
    except importlib.metadata.PackageNotFoundError:
        text = "run from its source folder: novelink itself is not installed"
        yield Finding("extras", "note", text)
        return
    extras: dict[str, list[str]] = {}
    for requirement in requirements:
        match = _REQUIREMENT.match(requirement)
        if match and match[2] and match[2] != "all":
            extras.setdefault(match[2], []).append(match[1])
    for extra, names in extras.items():
        found: dict[str, str] = {}
        for name in names:
            try:
                found[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue
        missing = [name for name in names if name not in found]
        have = ", ".join(f"{name} {version}" for name, version in found.items())
        text = f"{extra}: {have}"
        if missing:
            text = f"{extra}: {have + '; ' if have else ''}not installed: {', '.join(missing)}"
            text += f". pip install 'novelink[{extra}]'"
        details = {"extra": extra, "installed": found, "missing": missing}
        yield Finding("extras", "note" if missing else "ok", text, details)


def _processor() -> Finding:
    usable, all_cores = available_cores(), os.cpu_count() or 1
    text = f"{usable} of {all_cores} cores, so {usable} threads by default"
    has_int8 = has_int8_instructions()
    if has_int8 is not None:
        text += f", {'with' if has_int8 else 'without'} instructions for int8"
    details = {"usable_cores": usable, "cores": all_cores, "int8_instructions": has_int8}
    return Finding("processor", "ok", text, details)


def _memory() -> Finding:
    total, free = memory()
    details = {"total": total, "free": free}
    if total is None:
        return Finding("memory", "note", "the system does not say how much there is", details)
    text = f"{total / 1e9:.1f} GB"
    if free is not None:
        text += f", {free / 1e9:.1f} GB of it free"
    little = (total if free is None else free) < _LITTLE_MEMORY
    return Finding("memory", "note" if little else "ok", text, details)


def _text() -> Finding:
    details = {
        "stdout": str(getattr(sys.stdout, "encoding", None)),
        "locale": locale.getpreferredencoding(do_setlocale=False),
        "file_names": sys.getfilesystemencoding(),
    }
    text = (
        f"standard output {details['stdout']}, file names {details['file_names']}, "
        f"locale {details['locale']} (files are UTF-8 whatever it is)"
    )
    return Finding("encodings", "ok", text, details)


def _scratch() -> Finding:
    folder = tempfile.gettempdir()
    try:
        with tempfile.TemporaryFile() as file:
            file.write(b"novelink")
    except OSError as error:
        text = f"{folder}: {error.strerror}. Set TMPDIR to a folder that can be written"
        return Finding("temporary files", "fail", text, {"folder": folder})
    return Finding("temporary files", "ok", f"{folder} can be written", {"folder": folder})


def _lexicon() -> Iterator[Finding]:
    folder = os.environ.get("NOVELINK_LEXICON")
    if not folder:
        return
    from novelink.annotate.lexicon import Lexicon

    try:
        names = sum(Lexicon.open(folder).description["names"].values())
    except NovelinkError as error:
        yield Finding("lexicon", "fail", str(error), {"folder": folder})
    else:
        yield Finding("lexicon", "ok", f"{folder}: {names:,} names", {"folder": folder})


def _models(models: Iterable[str | os.PathLike[str]] | None) -> Iterator[Finding]:
    from novelink.runtime.bundle import default_name, embedded_names

    wanted = list(embedded_names() if models is None else models)
    if not wanted:
        text = "this installation has none. Give a model folder with --model to extract"
        yield Finding("models", "fail", text)
        return
    for model in wanted:
        yield _model(model)
    if models is None:
        try:
            name = default_name()
        except NovelinkError as error:
            yield Finding("default model", "fail", str(error))
        else:
            status: Status = "ok" if name in wanted else "fail"
            yield Finding("default model", status, name, {"model": name})


def _model(model: str | os.PathLike[str]) -> Finding:
    from novelink.runtime.bundle import find_bundle, load_bundle
    from novelink.runtime.model_set import is_model_set, load_model_set
    from novelink.self_test import compare

    shown = os.fspath(model)
    began = time.monotonic()
    try:
        folder = find_bundle(model)
        if is_model_set(folder):
            models = load_model_set(folder)
            names = ", ".join(one.folder.name for one in models.members)
            text = f"{shown}: a set of models as its manifest says, of {names}"
            return Finding("model", "ok", text, {"model": shown, "members": names})
        bundle = load_bundle(model)
        text = (
            f"{shown}: {len(bundle.files)} files as the manifest says ({bundle.size / 1e6:.1f} MB)"
        )
        found = compare(bundle)
    except NovelinkError as error:
        return Finding("model", "fail", f"{shown}: {error}", {"model": shown})
    details: dict[str, Any] = {"model": shown, "files": bundle.files}
    if found is None:
        return Finding("model", "note", f"{text}; no answers to compare its own with", details)
    seconds = time.monotonic() - began
    details |= {
        "compared": found.compared,
        "difference": found.difference,
        "most": found.most,
        "seconds": round(seconds, 2),
    }
    text += (
        f"; self-test: {found.compared} answers, largest difference {found.difference:.4f} "
        f"({found.most:.2f} is allowed), {seconds:.1f} s"
    )
    if found.is_well:
        return Finding("model", "ok", text, details)
    text += ". Another version of onnxruntime may help; please report it with `doctor --json`"
    return Finding("model", "fail", text, details)
