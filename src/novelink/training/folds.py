"""Folds by document: which documents each model is held back from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from novelink.errors import DataError, SettingsError
from novelink.training.settings import completed
from novelink.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from novelink.document import Document

MANIFEST = "folds.json"


@dataclass(frozen=True)
class Folds:
    """A division of a corpus.

    Attributes:
        seed: of the shuffle.
        ids: document ids of each fold; every document is in one.
    """

    seed: int
    ids: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, documents: Sequence[Document], count: int, seed: int) -> Folds:
        """Shuffle documents and deal them out; sizes differ by one at most.

        The division depends on the set of ids and the seed, not on the order
        of the documents.

        Raises:
            SettingsError: fewer than two folds, or fewer documents than folds.
            DataError: two documents have one id.
        """
        ids = sorted(document.id for document in documents)
        for left, right in pairwise(ids):
            if left == right:
                raise DataError(
                    f"the document '{left}' is there twice",
                    remedy="A document in two folds would be trained on and tested on",
                )
        if not 2 <= count <= len(ids):
            raise SettingsError(f"{count} folds of {len(ids)} documents cannot be")
        order = np.random.default_rng(seed).permutation(len(ids))
        return cls(
            seed,
            tuple(
                tuple(sorted(ids[place] for place in order[fold::count])) for fold in range(count)
            ),
        )

    def split(
        self, documents: Sequence[Document], fold: int
    ) -> tuple[list[Document], list[Document]]:
        """Documents to train a fold's model on, and those held back from it."""
        held = set(self.ids[fold])
        return (
            [document for document in documents if document.id not in held],
            [document for document in documents if document.id in held],
        )

    def keep(self, folder: Path, settings: str) -> None:
        """Write the manifest, or check that the one there is of the same division and settings.

        Args:
            folder: of the cross-validation.
            settings: what must not change between calls, as text.

        Raises:
            SettingsError: the folder holds another cross-validation.
        """
        path = folder / MANIFEST
        stamp = hashlib.sha256(settings.encode()).hexdigest()
        wanted = {
            "seed": self.seed,
            "folds": [
                {"fold": number, "documents": list(ids)}
                for number, ids in enumerate(self.ids, start=1)
            ],
            "settings_sha256": stamp,
            "settings": json.loads(settings),
        }
        if path.exists():
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["seed"] != self.seed or found["folds"] != wanted["folds"]:
                raise SettingsError(
                    f"{folder} holds folds of other documents or another seed",
                    remedy="Give another output folder, or delete this one to begin anew",
                )
            if completed(found["settings"]) != completed(wanted["settings"]):
                raise SettingsError(
                    f"{folder} holds a cross-validation with other settings",
                    remedy="Give another output folder, or delete this one to begin anew",
                )
            return
        folder.mkdir(parents=True, exist_ok=True)
        # Parallel folds write the same bytes.
        with whole_file(path, several=True) as fresh:
            fresh.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
