"""Names of output parts: one a file, valid on every file system."""

from __future__ import annotations

import re
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from novelink.scale.parts import SUFFIXES, failures_name, part_folder, part_name

# Any name that a file, an archive or a URL can have, halves of surrogate pairs included.
names = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=300)
# What Windows refuses in a name, and what it drops at its end.
REFUSED = re.compile(r'[<>:"|?*\\\x00-\x1f]|[. ]$')


@given(names.filter(lambda name: not re.search("[\ud800-\udc7f\udd00-\udfff]", name)))
def test_every_part_of_a_path_is_valid_everywhere(file):
    for path in (
        part_name(file, 3, "jsonl"),
        part_name(file, 3, "parquet"),
        failures_name(file, 3),
    ):
        for name in path.split("/"):
            assert not REFUSED.search(name), name
            assert name.isascii()
            assert len(name) <= 255


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40))
def test_a_short_name_can_be_read_back(file):
    """DuckDB and Spark do so: it is the column `source`."""
    assert unquote(part_folder(file).removeprefix("source=")) == file or len(file.encode()) > 50


@given(names, names)
def test_two_files_never_share_a_folder(one, other):
    valid = [name for name in (one, other) if not re.search("[\ud800-\udc7f\udd00-\udfff]", name)]
    if len(valid) == 2:
        assert (part_folder(one) == part_folder(other)) == (one == other)


def test_parts_end_as_their_formats_do():
    assert {part_name("a", 0, kind).partition(".")[2] for kind in SUFFIXES} == set(
        SUFFIXES.values()
    )
