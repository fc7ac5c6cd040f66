"""A model folder is opened whole and unchanged, or not at all."""

from __future__ import annotations

import json
import shutil

import pytest

from novelink.errors import ModelError
from novelink.runtime import bundle as bundle_module
from novelink.runtime.bundle import load_bundle, unlisted_files, write_manifest


@pytest.fixture
def folder(tiny_bundle, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(tiny_bundle, tmp_path / "model")


def change_config(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    config.update(changes)
    config = {key: value for key, value in config.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(config))
    write_manifest(folder)


def test_a_whole_bundle_tells_what_it_is(folder):
    bundle = load_bundle(folder)
    assert (bundle.name, bundle.reading, bundle.max_length) == ("tiny", "pair", 128)
    assert bundle.schema.relation_labels[0] == "None"
    assert set(bundle.files) == {"README.md", "config.json", "model.onnx", "tokenizer.json"}
    assert bundle.size == sum((folder / name).stat().st_size for name in bundle.files)
    assert bundle.tokenizer().token_to_id("@/E") == 5


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.onnx", "README.md"])
def test_one_changed_byte_in_any_file_is_refused(folder, name):
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(ModelError, match=r"differs from the manifest \(sha256") as caught:
        load_bundle(folder)
    assert caught.value.source == str(folder / name)


def test_a_cut_file_is_refused_with_both_sizes(folder):
    (folder / "model.onnx").write_bytes(b"abc")
    with pytest.raises(ModelError, match="has 3 bytes where the manifest says"):
        load_bundle(folder)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.onnx", "README.md"])
def test_a_missing_file_is_named_on_loading_and_on_writing_the_manifest(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelError, match="the file is missing") as caught:
        load_bundle(folder)
    assert name in str(caught.value)
    with pytest.raises(ModelError, match=f"has no {name}"):
        write_manifest(folder)


def test_a_folder_without_manifest_says_what_a_model_folder_holds(tmp_path):
    with pytest.raises(ModelError, match=r"manifest\.json is missing\. A model folder holds"):
        load_bundle(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"format": 1}', "not a manifest"),
        ('{"format": 1, "files": {}}', "does not list config.json"),
        ('{"format": 1, "files": {"config.json": {"sha256": "0", "size": "x"}}}', "not a manifest"),
        ('{"format": 2, "files": {}}', "Update novelink"),
        ('{"files": {}}', "format is null"),
    ],
)
def test_a_broken_manifest_is_refused(folder, text, message):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(ModelError, match=message):
        load_bundle(folder)


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "a/../../b"])
def test_a_manifest_cannot_point_outside_the_folder(folder, name):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = {"sha256": "0", "size": 1}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="outside the folder"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 9}, "format is 9; this version of novelink reads 1. Update"),
        ({"format": "1"}, "Export the model again"),
        ({"name": None}, "the key 'name' is missing"),
        ({"schema": {"name": "x"}}, "a schema needs the key"),
        ({"max_length": "long"}, "cannot be used"),
        ({"decision": [1]}, "cannot be used"),
    ],
)
def test_a_config_that_cannot_be_is_refused(folder, changes, message):
    change_config(folder, **changes)
    with pytest.raises(ModelError, match=message):
        load_bundle(folder)


def test_a_file_that_is_no_tokenizer_is_refused(folder):
    (folder / "tokenizer.json").write_text("{}")
    write_manifest(folder)
    with pytest.raises(ModelError, match="not a tokenizer"):
        load_bundle(folder).tokenizer()


def test_truncation_saved_in_the_tokenizer_does_not_cut_texts_unseen(folder):
    bundle = load_bundle(folder)
    tokenizer = bundle.tokenizer()
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=8)
    tokenizer.save(str(folder / "tokenizer.json"))
    write_manifest(folder)
    encoded = load_bundle(folder).tokenizer().encode("the patients of the mice and the cells")
    assert len(encoded.ids) == 8
    assert "[PAD]" not in encoded.tokens


def test_manifest_covers_files_in_subfolders_and_leaves_hidden_ones_out(folder):
    (folder / "extra").mkdir()
    (folder / "extra" / "notes.txt").write_text("x")
    (folder / ".cache").write_text("y")
    write_manifest(folder)
    assert load_bundle(folder).files["extra/notes.txt"] == 1
    assert ".cache" not in load_bundle(folder).files


def test_files_that_the_manifest_does_not_name_are_told(folder):
    (folder / "late.txt").write_text("x")
    assert unlisted_files(load_bundle(folder)) == ["late.txt"]


def test_names_and_the_default_are_found_among_the_embedded_models(
    tiny_bundle, tmp_path, monkeypatch
):
    monkeypatch.setattr(bundle_module, "EMBEDDED", tmp_path)
    with pytest.raises(ModelError, match="no embedded model"):
        load_bundle()
    shutil.copytree(tiny_bundle, tmp_path / "small")
    (tmp_path / "default").write_text("small\n")
    assert bundle_module.embedded_names() == ["small"]
    assert load_bundle().folder == load_bundle("small").folder == tmp_path / "small"
    with pytest.raises(ModelError, match=r"there is no model 'big'\. Embedded models: small"):
        load_bundle("big")
