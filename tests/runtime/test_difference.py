"""A model that ships as the difference from another one."""

from __future__ import annotations

import shutil

import pytest

from novelink import Extractor
from novelink.errors import ModelError
from novelink.runtime import bundle as bundle_module
from novelink.runtime.bundle import load_bundle, unlisted_files


@pytest.fixture
def models(bundle_writer, tmp_path, monkeypatch):
    """Two models beside each other, of the one only what differs."""
    folder = tmp_path / "models"
    for name, seed in (("one", 3), ("other", 4)):
        bundle_writer(folder / name, name=name, seed=seed)
    shutil.copytree(folder / "one", tmp_path / "whole")
    own, theirs = ((folder / name / "model.onnx").read_bytes() for name in ("one", "other"))
    assert len(own) == len(theirs)
    kept = bytes((a - b) % 256 for a, b in zip(own, theirs, strict=True))
    (folder / "one" / "model.onnx.other.difference").write_bytes(kept)
    (folder / "one" / "model.onnx").unlink()
    monkeypatch.setattr(bundle_module, "EMBEDDED", folder)
    return folder


def test_it_is_the_model_it_was(models, tmp_path, small_documents):
    opened = load_bundle("one")
    assert opened.contents == load_bundle(tmp_path / "whole").contents
    assert unlisted_files(opened) == []
    found, wanted = (
        list(Extractor.load(model, threads=1).extract(small_documents))
        for model in ("one", tmp_path / "whole")
    )
    assert found == wanted


def test_a_change_of_either_part_is_noticed(models):
    difference = models / "one" / "model.onnx.other.difference"
    data = bytearray(difference.read_bytes())
    data[1000] ^= 1
    difference.write_bytes(data)
    with pytest.raises(ModelError, match="differs from the manifest"):
        load_bundle("one")
    difference.write_bytes(data[:-1])
    with pytest.raises(ModelError, match="sizes differ"):
        load_bundle("one")
    (models / "other" / "model.onnx").unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        load_bundle("one")


def test_only_models_that_ship_are_kept_so(models, tmp_path):
    shutil.copytree(models, tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="the file is missing"):
        load_bundle(tmp_path / "elsewhere" / "one")
