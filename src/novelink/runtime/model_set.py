"""Several models as one: a folder of model folders, checked like a single model.

.. code-block:: text

    config.json       name, schema, how answers are joined, which members answer what
    README.md         the card
    members/<name>/   one model folder each, with its own manifest
    manifest.json     size and sha256 of the files above, members' manifests included

A member's manifest stands for its files, so that every byte is checked once. A
member that ships with the package is not copied: ``config.json`` has its name
and its manifest's sha256 under ``embedded``.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from novelink.decode import DecisionSettings
from novelink.errors import ModelError, SettingsError
from novelink.runtime.bundle import CARD, CONFIG, EMBEDDED, embedded_names, find_bundle, load_bundle
from novelink.runtime.manifest import FORMAT, MANIFEST, checked_file, listed_files
from novelink.runtime.revision import revise_files
from novelink.voting import METHODS

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from novelink.runtime.bundle import Bundle
    from novelink.schema import Schema

READING = "set"
MEMBERS = "members"
AVERAGE = "average"
VOTINGS = (*METHODS, AVERAGE)
"""How members' answers are joined: by votes, each by its own rule, or by one rule for their mean
probabilities, with thresholds of the set's own."""
_AGAIN = "Copy the set again, or make it anew with: novelink ensemble"


@dataclass(frozen=True)
class Screen:
    """A member that answers alone where it finds a pair clearly unrelated.

    Attributes:
        member: which one.
        below: the score, by its own calibration, under which it does.
    """

    member: Bundle
    below: float


@dataclass(frozen=True)
class ModelSet:
    """An opened set; every file of it has been checked.

    Attributes:
        folder: where it lies.
        name: the set's name.
        schema: the members' vocabulary.
        voting: one of :data:`VOTINGS`.
        relation: members that vote on relation types, at least one.
        novelty: members that vote on novelty; may be the same ones, or none.
        config: the whole ``config.json``.
        size: bytes of all files together, those of members that ship included.
        screen: the member that answers alone for pairs it finds clearly unrelated; None where
            all members read all pairs.
    """

    folder: Path
    name: str
    schema: Schema
    voting: str
    relation: tuple[Bundle, ...]
    novelty: tuple[Bundle, ...]
    config: dict[str, Any] = field(repr=False)
    size: int = 0
    screen: Screen | None = None

    @property
    def members(self) -> list[Bundle]:
        """All members, each once."""
        return list({one.folder: one for one in (*self.relation, *self.novelty)}.values())

    @property
    def reading(self) -> str:
        """How members read texts, for example ``pair + document``."""
        return " + ".join(dict.fromkeys(one.reading for one in self.members))

    @property
    def max_length(self) -> int:
        """Longest input in tokens that every member reads whole."""
        return min(one.max_length for one in self.members)

    @property
    def decision(self) -> dict[str, float]:
        """Thresholds and calibration of a set that averages; none where members vote."""
        return dict(self.config.get("decision", {}))


def is_model_set(folder: Path) -> bool:
    """Whether a folder says of itself that it is a set of models."""
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(config, dict) and config.get("reading") == READING


def open_model(model: str | os.PathLike[str] | None = None) -> Bundle | ModelSet:
    """Open a model or a set of models and check every file of it.

    Args:
        model: a name, a folder, or None for the default, as
            :func:`~novelink.runtime.bundle.find_bundle` takes it.

    Raises:
        ModelError: there is none, or it is not whole.
    """
    folder = find_bundle(model)
    return load_model_set(folder) if is_model_set(folder) else load_bundle(folder)


def load_model_set(folder: Path) -> ModelSet:
    """Open a set and check every file of it.

    Raises:
        ModelError: a file is missing or differs from its manifest, or the
            members do not fit each other.
    """
    listed = _listed(folder)
    contents = {name: checked_file(folder, name, entry) for name, entry in listed.items()}
    for name in (CONFIG, CARD):
        if name not in listed:
            raise ModelError(f"the manifest does not list {name}", source=str(folder / MANIFEST))
    try:
        config = json.loads(contents[CONFIG])
        names = {role: [str(name) for name in config[MEMBERS][role]] for role in _ROLES}
        voting, set_name = str(config["voting"]), str(config["name"])
        embedded = {str(name): str(sha) for name, sha in config.get("embedded", {}).items()}
        screen = config.get("screen")
        below = None if screen is None else (str(screen["member"]), float(screen["below"]))
        if "decision" in config:
            config["decision"] = {str(key): float(one) for key, one in config["decision"].items()}
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelError(
            "not a set of models", source=str(folder / CONFIG), remedy=_AGAIN
        ) from error
    bundles: dict[str, Bundle] = {}
    for name in dict.fromkeys([*names["relation"], *names["novelty"]]):
        if name in embedded:
            bundles[name] = _embedded(name, embedded[name], folder)
            continue
        if f"{MEMBERS}/{name}/{MANIFEST}" not in listed:
            raise ModelError(
                f"the manifest does not list the member '{name}'", source=str(folder / MANIFEST)
            )
        bundles[name] = load_bundle(folder / MEMBERS / name)
    _check_members(bundles, names, voting)
    _check_screen(below, voting, bundles, source=str(folder / CONFIG))
    first = next(iter(bundles.values()))
    return ModelSet(
        folder,
        set_name,
        first.schema,
        voting,
        tuple(bundles[name] for name in names["relation"]),
        tuple(bundles[name] for name in names["novelty"]),
        config,
        sum(size for _, size in listed.values()) + sum(bundle.size for bundle in bundles.values()),
        None if below is None else Screen(bundles[below[0]], below[1]),
    )


def write_model_set(
    folder: Path,
    relation: Sequence[Path],
    novelty: Sequence[Path] = (),
    *,
    name: str,
    voting: str = "majority",
    screen: tuple[Path, float] | None = None,
    card: str | None = None,
) -> ModelSet:
    """Join model folders in a new set: copies, or the names of models that ship.

    Args:
        folder: made anew; it must not exist.
        relation: model folders that vote on relation types.
        novelty: model folders that vote on novelty.
        name: the set's name.
        voting: one of :data:`VOTINGS`.
        screen: of a set that averages, the member that reads every pair first, and the score under
            which it answers alone.
        card: text of the card; a short one is written otherwise.

    Raises:
        ModelError: a folder is no whole model, or two do not fit each other.
        SettingsError: the folder exists, or there is no such way to vote.
    """
    if folder.exists():
        raise SettingsError(f"{folder} exists", remedy="Give another folder, or delete this one")
    sources = list(dict.fromkeys(path.resolve() for path in [*relation, *novelty]))
    bundles = {
        bundle.name if _ships(bundle) else f"{number:02d}-{bundle.name}": bundle
        for number, bundle in enumerate(map(load_bundle, sources), start=1)
    }
    place = dict(zip(sources, bundles, strict=True))
    names = {
        "relation": [place[path.resolve()] for path in relation],
        "novelty": [place[path.resolve()] for path in novelty],
    }
    _check_members(bundles, names, voting)
    below = None
    if screen is not None:
        if screen[0].resolve() not in place:
            raise SettingsError(
                f"the screen '{screen[0]}' is no member", remedy="Name it among the models too"
            )
        below = place[screen[0].resolve()], screen[1]
        _check_screen(below, voting, bundles)
    config: dict[str, Any] = {
        "format": FORMAT,
        "name": name,
        "reading": READING,
        "schema": next(iter(bundles.values())).schema.to_dict(),
        "voting": voting,
        MEMBERS: names,
    }
    shipped = {name: _sha256(one.folder) for name, one in bundles.items() if _ships(one)}
    if shipped:
        config["embedded"] = shipped
    if voting == AVERAGE:
        config["decision"] = DecisionSettings().to_dict()
    if below is not None:
        config["screen"] = {"member": below[0], "below": below[1]}
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".set-") as scratch:
        fresh = Path(scratch) / "set"
        fresh.mkdir()
        for member, bundle in bundles.items():
            if member not in shipped:
                shutil.copytree(bundle.folder, fresh / MEMBERS / member)
        text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
        (fresh / CONFIG).write_text(text, encoding="utf-8")
        (fresh / CARD).write_text(card or _short_card(config), encoding="utf-8")
        _write_manifest(fresh, [name for name in bundles if name not in shipped])
        fresh.rename(folder)
    return load_model_set(folder)


def revise_model_set(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Give a set's own files new contents, as :func:`novelink.runtime.revision.revise` does.

    Args:
        folder: a whole set; it is checked first.
        contents: ``config.json`` or ``README.md`` → its new content.

    Raises:
        ModelError: the folder was no whole set before, is none with the new
            contents, or cannot be written.
    """
    opened = load_model_set(folder)
    own = [one.folder.name for one in opened.members if one.folder.is_relative_to(folder)]
    revise_files(
        folder,
        contents,
        write=lambda: _write_manifest(folder, own),
        check=lambda: load_model_set(folder),
    )


def _ships(bundle: Bundle) -> bool:
    return bundle.folder.resolve().parent == EMBEDDED


def _sha256(folder: Path) -> str:
    """Of a model's manifest, which has those of its files."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


def _embedded(name: str, sha256: str, folder: Path) -> Bundle:
    """A member that ships with the package."""
    if name not in embedded_names():
        raise ModelError(
            f"the set's member '{name}' does not ship with this installation",
            source=str(folder / CONFIG),
            remedy=_AGAIN,
        )
    if _sha256(EMBEDDED / name) != sha256:
        raise ModelError(
            f"the set was made with another '{name}' than the one that ships here",
            source=str(folder / CONFIG),
            remedy=_AGAIN,
        )
    return load_bundle(EMBEDDED / name)


_ROLES = ("relation", "novelty")


def _check_members(bundles: dict[str, Bundle], names: dict[str, list[str]], voting: str) -> None:
    if voting not in VOTINGS:
        raise SettingsError(
            f"unknown voting method '{voting}'", remedy=f"Methods are: {', '.join(VOTINGS)}"
        )
    if voting == AVERAGE and names["novelty"] and set(names["novelty"]) != set(names["relation"]):
        raise SettingsError(
            "a set that averages has models for relations and others for novelty",
            remedy="Let the same models answer both, or let them vote (--voting majority)",
        )
    if not names["relation"]:
        raise ModelError("a set needs a model that judges relations")
    schema = bundles[names["relation"][0]].schema
    for role in _ROLES:
        for name in names[role]:
            bundle = bundles[name]
            if (bundle.schema.relation_labels, bundle.schema.pairs) != (
                schema.relation_labels,
                schema.pairs,
            ):
                raise ModelError(
                    f"'{name}' has the schema {bundle.schema.name}, and '{names['relation'][0]}' "
                    f"has {schema.name}",
                    remedy="Members of a set must have the same relation types and pairs",
                )
            tasks = bundle.config.get("tasks", _ROLES)
            if not isinstance(tasks, list | tuple) or role not in tasks:
                raise ModelError(f"'{name}' was not trained for {role}, and cannot vote on it")


def _check_screen(
    screen: tuple[str, float] | None,
    voting: str,
    bundles: dict[str, Bundle],
    *,
    source: str | None = None,
) -> None:
    if screen is None:
        return
    member, below = screen
    if voting != AVERAGE:
        raise ModelError("only a set that averages can have a screen", source=source)
    if member not in bundles:
        raise ModelError(f"the screen '{member}' is no member", source=source)
    if not 0 <= below <= 1:
        raise ModelError(f"the screen's score is {below}, not within 0–1", source=source)


def _write_manifest(folder: Path, members: list[str]) -> None:
    names = [CONFIG, CARD, *(f"{MEMBERS}/{member}/{MANIFEST}" for member in members)]
    files = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for name in names
        for data in [(folder / name).read_bytes()]
    }
    text = json.dumps({"format": FORMAT, "files": files}, indent=2) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def _listed(folder: Path) -> dict[str, tuple[str, int]]:
    source = str(folder / MANIFEST)
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        if manifest["format"] != FORMAT:
            raise ModelError(
                f"the set's format is {manifest['format']}; this version reads {FORMAT}",
                source=source,
                remedy="Update novelink",
            )
        return listed_files(manifest, source)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError("not a manifest", source=source, remedy=_AGAIN) from error


def _short_card(config: dict[str, Any]) -> str:
    lines = [
        "---",
        f"name: {config['name']}",
        "library: novelink",
        "---",
        f"# {config['name']}",
        f"A set of models joined by {config['voting']}, made by `novelink ensemble`.",
    ]
    for role in _ROLES:
        names = ", ".join(config[MEMBERS][role]) or "none"
        lines.append(f"- {role}: {names}")
    return "\n".join(lines) + "\n"
