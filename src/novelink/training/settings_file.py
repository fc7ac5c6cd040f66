"""Settings classes from TOML files and ``key=value`` texts; unknown keys are errors."""

from __future__ import annotations

import tomllib
from dataclasses import is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

from novelink.errors import SettingsError
from novelink.toml_file import read_toml

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Settings = TypeVar("Settings")


def read_settings(
    kind: type[Settings], path: str | Path, overrides: Iterable[str] = ()
) -> Settings:
    """Read a TOML file into a settings class and apply ``key=value`` overrides.

    Raises:
        SettingsError: unreadable file, unknown key, or a value of the wrong type.
    """
    data = read_toml(path, "the settings")
    return override(from_dict(kind, data, source=str(path)), overrides)


def override(settings: Settings, overrides: Iterable[str]) -> Settings:
    """Settings with ``section.key=value`` texts applied; values are TOML, bare words are texts.

    Raises:
        SettingsError: an unknown key or a value of the wrong type.
    """
    for text in overrides:
        key, separator, value = text.partition("=")
        if not separator:
            raise SettingsError(f"'{text}' is no setting", remedy="Write --set section.key=value")
        try:
            parsed = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            parsed = None if value.strip().lower() in ("none", "null", "") else value.strip()
        settings = _set(settings, key.strip().split("."), parsed, text)
    return settings


def _set(settings: Any, path: list[str], value: Any, text: str) -> Any:
    hints = get_type_hints(type(settings))
    name, *rest = path
    if name not in hints:
        raise SettingsError(
            f"unknown setting in '{text}'", remedy=f"Settings here: {', '.join(hints)}"
        )
    if rest:
        if not is_dataclass(getattr(settings, name)):
            raise SettingsError(f"'{name}' in '{text}' has no settings below it")
        return replace(settings, **{name: _set(getattr(settings, name), rest, value, text)})
    if value is None and hints[name] is str and text.rstrip().endswith("="):
        value = ""
    return replace(settings, **{name: _checked(hints[name], value, text, None)})


def from_dict(
    kind: type[Settings], data: dict[str, Any], *, source: str | None = None, at: str = ""
) -> Settings:
    """A settings class from nested plain values.

    Args:
        kind: a dataclass whose fields are numbers, texts, booleans, lists,
            dicts, or dataclasses again; None where its annotation has it.
        data: as TOML or JSON give it.
        source: file name for messages.
        at: what stands before the names of keys in messages.

    Raises:
        SettingsError: unknown key or a value of the wrong type.
    """
    hints = get_type_hints(kind)
    unknown = sorted(set(data) - set(hints))
    if unknown:
        raise SettingsError(
            f"unknown setting '{at}{unknown[0]}'",
            source=source,
            remedy=f"Settings here: {', '.join(hints)}",
        )
    values = {
        name: _checked(hints[name], value, f"{at}{name}", source) for name, value in data.items()
    }
    try:
        return kind(**values)
    except SettingsError as error:
        raise SettingsError(error.message, source=source, remedy=error.remedy) from error


def _checked(hint: Any, value: Any, name: str, source: str | None) -> Any:
    if isinstance(hint, type) and is_dataclass(hint):
        if not isinstance(value, dict):
            raise SettingsError(f"'{name}' must be a table", source=source)
        return from_dict(hint, value, source=source, at=f"{name}.")
    allowed = _kinds(hint)
    if value is None and type(None) in allowed:
        return None
    # TOML writes 1 for 1.0, and bool is a kind of int in Python: both need care.
    if float in allowed and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, bool) and bool not in allowed:
        allowed = ()
    if not any(isinstance(value, kind) for kind in allowed if kind is not type(None)):
        names = " or ".join(getattr(kind, "__name__", str(kind)) for kind in _kinds(hint))
        raise SettingsError(f"'{name}' must be {names}, not {value!r}", source=source)
    return value


def _kinds(hint: Any) -> tuple[type, ...]:
    """The classes that an annotation allows: of ``int | None`` both, of ``list[str]`` list."""
    origin = get_origin(hint)
    if origin in (list, dict):
        return (origin,)
    return get_args(hint) or (hint,)
