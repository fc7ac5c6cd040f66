"""Addresses, limits and waiting times of the PubTator 3 client."""

from __future__ import annotations

import getpass
import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from novelink.errors import SettingsError

_ENVIRONMENT = {
    "url": "NOVELINK_PUBTATOR_URL",
    "text_url": "NOVELINK_PUBTATOR_TEXT_URL",
    "eutils_url": "NOVELINK_EUTILS_URL",
    "api_key": "NOVELINK_NCBI_API_KEY",
}


def default_cache_folder() -> Path:
    """``NOVELINK_CACHE``, else this system's place for caches."""
    given = os.environ.get("NOVELINK_CACHE")
    if given:
        return Path(given)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "novelink"


def _default_lock_folder() -> Path:
    # The temporary folder is local to the machine, where file locks can be trusted.
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = str(os.getuid()) if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"novelink-{user}"


@dataclass(frozen=True, kw_only=True)
class PubTatorSettings:
    """How the client talks to NCBI.

    Attributes:
        url: base address of the PubTator 3 API.
        text_url: base address of the raw-text service.
        eutils_url: base address of the E-utilities, asked for the title and
            abstract of papers that PubTator lacks.
        api_key: key of an NCBI account; it raises the E-utilities' limit to ten
            requests a second and changes nothing for PubTator.
        cache: folder of the response cache; None keeps nothing.
        cache_megabytes: the cache's size is kept under this.
        refresh: ask again for what the cache has, and replace it.
        full_text: full articles for PMIDs where PubTator has them.
        requests_per_second: over all threads and processes of this user here.
        ids_per_call: ids in one export call, at most 100.
        timeout_seconds: longest silence of a connection.
        attempts: tries of one call before it counts as failed.
        wait_seconds: pause after the first failed try; it doubles.
        wait_limit_seconds: longest pause between tries.
        retry_after_limit_seconds: the longest ``Retry-After`` that is obeyed; a
            longer one ends the call.
        poll_seconds: pause before a raw-text job is first asked for; it grows.
        poll_limit_seconds: longest pause between two askings.
        job_limit_seconds: a raw-text job not ready by then counts as failed.
            NCBI speaks of queues of 10 to 20 minutes.
        bioconcept: entity types asked of the raw-text service.
        lock_folder: where processes agree on the rate.
    """

    url: str = "https://www.ncbi.nlm.nih.gov/research/pubtator3-api"
    text_url: str = "https://www.ncbi.nlm.nih.gov/CBBresearch/Lu/Demo/RESTful"
    eutils_url: str = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
    api_key: str | None = field(default=None, repr=False)
    cache: Path | None = field(default_factory=default_cache_folder)
    cache_megabytes: float = 512
    refresh: bool = False
    full_text: bool = False
    requests_per_second: float = 3
    ids_per_call: int = 100
    timeout_seconds: float = 60
    attempts: int = 5
    wait_seconds: float = 1
    wait_limit_seconds: float = 30
    retry_after_limit_seconds: float = 120
    poll_seconds: float = 5
    poll_limit_seconds: float = 60
    job_limit_seconds: float = 1800
    bioconcept: str = "All"
    lock_folder: Path = field(default_factory=_default_lock_folder)

    def __post_init__(self) -> None:
        for name in ("url", "text_url", "eutils_url"):
            value = str(getattr(self, name))
            if not value.startswith(("http://", "https://")):
                raise SettingsError(
                    f"{name} is '{value}', which is no web address",
                    remedy=f"Set {_ENVIRONMENT[name]} to an address that begins with https://",
                )
            object.__setattr__(self, name, value.rstrip("/"))
        if not 1 <= self.ids_per_call <= 100:
            raise SettingsError(f"ids_per_call is {self.ids_per_call}", remedy="Choose 1 to 100")
        if self.attempts < 1:
            raise SettingsError(f"attempts is {self.attempts}", remedy="Choose 1 or more")
        if self.requests_per_second <= 0:
            raise SettingsError(
                f"requests_per_second is {self.requests_per_second}",
                remedy="NCBI asks for at most 3",
            )

    @classmethod
    def from_environment(cls, **settings: Any) -> PubTatorSettings:
        """Defaults, then ``NOVELINK_…`` variables, then what is given here.

        Raises:
            SettingsError: a setting is unknown or has a value that cannot be.
        """
        values: dict[str, Any] = {
            name: os.environ[variable]
            for name, variable in _ENVIRONMENT.items()
            if os.environ.get(variable)
        }
        try:
            return cls(**(values | settings))
        except TypeError as error:
            known = ", ".join(sorted(cls.__dataclass_fields__))
            raise SettingsError(
                f"unknown setting of the PubTator 3 client ({error})",
                remedy=f"Settings are: {known}",
            ) from error
