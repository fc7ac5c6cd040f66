"""Every key of the settings files and every environment variable, as Markdown.

Keys, types and defaults come from the dataclasses, their meanings from the
``Attributes`` sections of the docstrings; environment variables from a search
of the source.
"""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import get_type_hints

import novelink
from generators.marking import marked
from novelink.annotate.pubtator3 import PubTatorSettings
from novelink.decode import DecisionSettings
from novelink.training.settings import TrainSettings
from novelink.training.tagger_settings import CorpusSettings, TaggerSettings

VARIABLES = {
    "NOVELINK_CACHE": "Folder of the cache of PubTator 3's answers. Default: the system's "
    "cache folder, `novelink` in it.",
    "NOVELINK_LEXICON": "Folder of a lexicon for entities' ids, as `--lexicon`.",
    "NOVELINK_NCBI_API_KEY": "Key of an NCBI account: PubMed's texts at ten calls a second.",
    "NOVELINK_PUBTATOR_URL": "Another address of the PubTator 3 API.",
    "NOVELINK_PUBTATOR_TEXT_URL": "Another address of PubTator's raw-text service.",
    "NOVELINK_EUTILS_URL": "Another address of the E-utilities.",
    "NOVELINK_TOKEN_FILE": "File with the token that `novelink serve` asks for, as `--token-file`.",
    "HF_HUB_OFFLINE": "`1`: training takes encoders from disk only, as `encoder.offline`.",
    "XDG_CACHE_HOME": "Where caches lie on Linux, if `NOVELINK_CACHE` is not set.",
    "LOCALAPPDATA": "The same on Windows.",
    "CUDA_VISIBLE_DEVICES": "GPUs that `novelink crossval --parallel` deals out to its folds.",
}
"""What each variable that the source reads is for."""

LONG = 24
"""Defaults of more characters stand beside the meaning, so that columns stay narrow."""

# Set for the libraries below, by this program or by a launcher; not for users.
SET_HERE = {
    "OMP_NUM_THREADS",
    "WORLD_SIZE",  # by `accelerate launch` and torchrun
    "RANK",  # likewise
    "TOKENIZERS_PARALLELISM",
    "RAY_USAGE_STATS_ENABLED",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO",
}


def page() -> str:
    """The whole reference."""
    lines = [
        "## `novelink train`, `crossval`, `reproduce`",
        "",
        "Keys of the settings file, changed on the command line by `--set section.key=value`.",
        "",
        *nested(TrainSettings),
        "## `novelink train-tagger`",
        "",
        *table(TaggerSettings),
        "### `[[corpora]]`",
        "",
        *table(CorpusSettings),
        "## `decision` in a model's `config.json`",
        "",
        *table(DecisionSettings),
        "## The PubTator 3 client",
        "",
        "Keyword arguments of `PubTatorSettings.from_environment`.",
        "",
        *table(PubTatorSettings),
        "## Environment variables",
        "",
        "| variable | meaning |",
        "|---|---|",
        *(f"| `{name}` | {cell(meaning)} |" for name, meaning in VARIABLES.items()),
        "",
    ]
    return "\n".join(lines)


def nested(kind: type) -> list[str]:
    """Tables of a settings class and of the sections below it."""
    hints = get_type_hints(kind)
    plain = [item.name for item in fields(kind) if not is_dataclass(hints[item.name])]
    lines = ["### Top level", "", *table(kind, plain)]
    for item in fields(kind):
        if is_dataclass(hints[item.name]):
            lines += [f"### `[{item.name}]`", "", *table(hints[item.name])]
    return lines


def table(kind: type, names: list[str] | None = None) -> list[str]:
    """Key, type, default and meaning of every field.

    Raises:
        KeyError: a field is not described in the docstring.
    """
    meanings = attributes(kind)
    lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for item in fields(kind):
        if names is None or item.name in names:
            type_name = cell(re.sub(r"\s*\bNone\b \| | \| None\b", "", str(item.type)))
            given, meaning = default(item), cell(meanings[item.name])
            if len(given) > LONG:
                given, meaning = "", f"{meaning} Default: {given}."
            lines.append(f"| `{item.name}` | {type_name} | {given} | {meaning} |")
    return [*lines, ""]


def attributes(kind: type) -> dict[str, str]:
    """Name → meaning, from the section ``Attributes`` of a docstring."""
    section = inspect.getdoc(kind).partition("Attributes:\n")[2]
    meanings: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        begun = re.match(r" {4}(\w+): (.*)", line)
        if begun:
            name = begun[1]
            meanings[name] = begun[2]
        elif name and line.startswith(" " * 8):
            meanings[name] += " " + line.strip()
    return meanings


def default(item) -> str:
    """A field's default as the settings file would have it."""
    if item.default_factory is not MISSING:
        made = item.default_factory()
        if isinstance(made, Path):
            return "of this system"
        return "" if not made else f"`{', '.join(map(str, made))}`"
    if item.default is MISSING:
        return "required"
    if item.default is None:
        return "none"
    if isinstance(item.default, bool):
        return f"`{str(item.default).lower()}`"
    return f"`{item.default}`" if item.default != "" else "none"


def cell(text: str) -> str:
    """Text for a table's cell: Markdown's code, no bars, no Sphinx roles."""
    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text)
    return marked(text.replace("``", "`")).replace("|", "\\|")


def variables_read() -> set[str]:
    """Names of all environment variables that the source mentions."""
    found = set()
    for path in Path(novelink.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if re.fullmatch(r"NOVELINK_[A-Z0-9_]+", node.value):
                    found.add(node.value)
            elif isinstance(node, ast.Subscript | ast.Call):
                found |= _environment_key(node)
    return found


def _environment_key(node: ast.Subscript | ast.Call) -> set[str]:
    """``os.environ["X"]``, ``os.environ.get("X")``, ``environment.setdefault("X")``, ``getenv``."""
    if isinstance(node, ast.Subscript):
        where, key = node.value, node.slice
    else:
        if not isinstance(node.func, ast.Attribute) or not node.args:
            return set()
        is_getter = node.func.attr in ("get", "setdefault")
        where = node.func.value if is_getter else node.func
        key = node.args[0]
    is_environment = ast.unparse(where) in ("os.environ", "environment", "os.getenv")
    is_text = isinstance(key, ast.Constant) and isinstance(key.value, str)
    return {key.value} if is_environment and is_text else set()
