"""Which files an input stands for, and what they are called."""

from __future__ import annotations

import pytest

from novelink.errors import DataError, SettingsError
from novelink.scale.corpus import find_files, is_corpus


@pytest.fixture
def tree(tmp_path):
    for name in ("b.xml", "a/c.xml", "a/d.tar.gz", ".hidden/e.xml", "a/_part/f.xml", "a/.g.xml"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def names(*inputs, **others):
    return [file.name for file in find_files([str(one) for one in inputs], **others).files]


def test_a_folder_gives_its_files_sorted_without_hidden_ones(tree):
    assert names(tree) == ["a/c.xml", "a/d.tar.gz", "b.xml"]


def test_names_do_not_depend_on_where_the_run_is_started(tree, monkeypatch):
    monkeypatch.chdir(tree)
    assert (
        names("a", "b.xml") == names(tree / "a", tree / "b.xml") == ["c.xml", "d.tar.gz", "b.xml"]
    )


def test_patterns_name_files_from_their_fixed_part(tree):
    assert names(f"{tree}/*.xml") == ["b.xml"]
    assert names(f"{tree}/**/*.xml") == ["a/_part/f.xml", "a/c.xml", "b.xml"]


def test_two_files_of_one_name_get_two_and_one_file_named_twice_one(tree):
    (tree / "other").mkdir()
    (tree / "other/b.xml").write_bytes(b"y")
    corpus = find_files([str(tree / "b.xml"), str(tree / "other/b.xml"), str(tree / "b.xml")])
    first, second = corpus.files
    assert first.name == "b.xml"
    assert second.name.endswith("/b.xml")
    assert corpus.notes == {"files named twice, read once": 1}


def test_what_cannot_be_is_said(tree):
    with pytest.raises(DataError, match="no such file"):
        names(tree / "z.xml")
    with pytest.raises(DataError, match="no file matches"):
        names(tree / "*.zzz")
    with pytest.raises(SettingsError, match="standard input"):
        names("-")
    with pytest.raises(SettingsError, match="inside the input folder"):
        names(tree, output=str(tree / "results"))


def test_what_counts_as_a_corpus(tree):
    assert all(map(is_corpus, (str(tree), "a.tar.gz", "s3://bucket/x", f"{tree}/*.xml")))
    assert not any(map(is_corpus, ("a.xml", "a.xml.gz", str(tree / "b.xml"), "24259561")))
