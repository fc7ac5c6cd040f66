"""Client of PubTator 3: entities for PMIDs, PMCIDs and raw text.

>>> from novelink.annotate.pubtator3 import PubTator3
>>> with PubTator3() as client:  # doctest: +SKIP
...     documents = list(client.documents(["24259561", "PMC7696669"]))

Each way the service is known to misbehave has its place: too many requests and
cut connections in ``transport``, the rate over all processes in ``limiter``,
batches with bad ids in ``client``, jobs that are never ready in ``rawtext``.

Names are looked up when first used: settings can be read without an HTTP library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from novelink.lazy_names import lazy_names

if TYPE_CHECKING:
    from novelink.annotate.pubtator3.client import Fetched, PubTator3
    from novelink.annotate.pubtator3.settings import PubTatorSettings
    from novelink.annotate.pubtator3.transport import (
        BlockedError,
        ServiceError,
        UnreachableError,
    )

_HOMES = {
    "BlockedError": "transport",
    "Fetched": "client",
    "PubTator3": "client",
    "PubTatorSettings": "settings",
    "ServiceError": "transport",
    "UnreachableError": "transport",
}

__all__ = [
    "BlockedError",
    "Fetched",
    "PubTator3",
    "PubTatorSettings",
    "ServiceError",
    "UnreachableError",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
