"""Model folders that were changed to do harm: nothing outside is opened, nothing endless read."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from novelink.errors import ModelError
from novelink.runtime.bundle import load_bundle, write_manifest
from novelink.runtime.manifest import is_inside


@pytest.fixture
def folder(tiny_bundle, tmp_path):
    return shutil.copytree(tiny_bundle, tmp_path / "model")


def change(folder, name, **entries):
    """Other values in a JSON file of the folder, with a manifest that fits."""
    path = folder / name
    data = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(data | entries), encoding="utf-8")
    if name != "manifest.json":
        write_manifest(folder)


@pytest.mark.parametrize("name", ["README.md", "tokenizer.json", "model.onnx"])
def test_a_link_out_of_the_folder_is_refused(folder, tmp_path, name):
    """Even to the very same bytes: what lies elsewhere can change after it was checked."""
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="a link that leads out of the model's folder"):
        load_bundle(folder)


def test_a_folder_that_is_itself_a_link_is_as_good_as_its_target(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    assert load_bundle(tmp_path / "link").name == "tiny"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(folder):
    (folder / "README.md").unlink()
    os.mkfifo(folder / "README.md")
    with pytest.raises(ModelError, match="no ordinary file"):
        load_bundle(folder)


def test_a_device_behind_a_link_is_not_read(folder):
    (folder / "README.md").unlink()
    (folder / "README.md").symlink_to("/dev/zero")
    with pytest.raises(ModelError, match="leads out"):
        load_bundle(folder)


def test_a_huge_file_is_refused_by_its_size_alone(folder):
    """It holds no bytes on the disk, and would have filled 64 GB of memory."""
    with (folder / "model.onnx").open("r+b") as stream:
        stream.truncate(64 << 30)
    with pytest.raises(ModelError, match="has 68719476736 bytes where the manifest says"):
        load_bundle(folder)


def test_a_huge_json_file_is_refused_though_its_manifest_says_so(folder):
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["config.json"]["size"] = 8 << 30
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with (folder / "config.json").open("r+b") as stream:
        stream.truncate(8 << 30)
    with pytest.raises(ModelError, match="a JSON file of a model has"):
        load_bundle(folder)


@pytest.mark.parametrize(
    "name",
    ["", ".", "/etc/passwd", "../x", "a/../../x", "a\\..\\x", "C:x", "c:/x", "a\0b", "a\nb"],
)
def test_names_that_mean_another_place_on_some_system_are_outside(name):
    assert not is_inside(name)


@pytest.mark.parametrize("name", ["a", "a/b.onnx", "weights.bin", "a b.json", "ü.json"])
def test_ordinary_names_are_inside(name):
    assert is_inside(name)


@pytest.mark.parametrize("size", [float("inf"), float("nan"), [], {}, None, "x", -1, 1e300])
def test_sizes_that_are_none_are_an_error_of_ours(folder, size):
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["README.md"]["size"] = size
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError):
        load_bundle(folder)


@pytest.mark.parametrize("length", [0, -1, 10**12, float("inf"), float("nan"), "x", None])
def test_lengths_that_cannot_be_are_refused(folder, length):
    change(folder, "config.json", max_length=length)
    with pytest.raises(ModelError, match=r"config\.json"):
        load_bundle(folder)


@pytest.mark.parametrize("name", ["manifest.json", "config.json"])
def test_deeply_nested_json_is_an_error_of_ours(folder, name):
    (folder / name).write_text("[" * 100_000, encoding="utf-8")
    if name != "manifest.json":
        write_manifest(folder)
    with pytest.raises(ModelError, match="not JSON"):
        load_bundle(folder)


def test_a_tokenizer_that_makes_its_library_panic_is_an_error_of_ours(folder, monkeypatch):
    """A panic in Rust reaches Python as a BaseException, which `except Exception` lets pass."""
    import tokenizers

    class PanicException(BaseException):
        pass

    class Panics:
        @staticmethod
        def from_buffer(_):
            raise PanicException("called `Option::unwrap()` on a `None` value")

    monkeypatch.setattr(tokenizers, "Tokenizer", Panics)
    with pytest.raises(ModelError, match="not a tokenizer"):
        load_bundle(folder).tokenizer()


def test_a_tokenizer_without_a_token_for_the_unknown_is_refused_when_it_is_opened(folder):
    path = folder / "tokenizer.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    data["model"]["unk_token"] = "not there"
    path.write_text(json.dumps(data), encoding="utf-8")
    write_manifest(folder)
    with pytest.raises(ModelError, match="not a tokenizer"):
        load_bundle(folder).tokenizer()


def test_what_runs_is_what_was_checked(folder):
    """The graph is handed over as the bytes that were compared, not as a path to look up again."""
    from novelink.runtime.session import open_graph

    bundle = load_bundle(folder)
    (folder / "model.onnx").write_bytes(b"something else")
    assert open_graph(bundle).get_outputs()
