"""What the wheel has otherwise than the tree: one model's graph as a difference from another's.

See ``novelink.runtime.difference``; it keeps the wheel under 60 MB.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODELS = "src/novelink/models"
MODEL, OTHER, FILE = "compact", "compact-entity", "model.onnx"


class Difference(BuildHookInterface):  # type: ignore[type-arg, misc]
    """Puts ``model.onnx.OTHER.difference`` in the place of ``model.onnx``, in wheels alone."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a build."""
        if self.target_name != "wheel" or version == "editable":
            return
        own, other = (
            (Path(self.root) / MODELS / name / FILE).read_bytes() for name in (MODEL, OTHER)
        )
        if len(own) != len(other):
            message = f"{FILE} of {MODEL} and of {OTHER} have other sizes"
            raise ValueError(message)
        self._folder = tempfile.TemporaryDirectory()
        made = Path(self._folder.name) / "difference"
        made.write_bytes(bytes((a - b) & 255 for a, b in zip(own, other, strict=True)))
        target = f"novelink/models/{MODEL}/{FILE}.{OTHER}.difference"
        build_data["force_include"][str(made)] = target

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called after it."""
        del version, build_data, artifact_path
        folder = getattr(self, "_folder", None)
        if folder is not None:
            folder.cleanup()
