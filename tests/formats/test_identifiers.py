"""Ids of other vocabularies become BioRED's, and files name one entity in one way."""

from __future__ import annotations

import pytest
from document_strategies import IDS
from hypothesis import given
from hypothesis import strategies as st

from novelink.formats.identifiers import default_id, normal_form, read_ids, survives, written_id

RECORD = "tmVar:p|SUB|V|600|E;HGVS:p.V600E;VariantGroup:0;CorrespondingGene:673"


@pytest.mark.parametrize(
    ("raw", "ids"),
    [
        ("673", ("673",)),
        ("3172,3651", ("3172", "3651")),
        ("3172;3651", ("3172", "3651")),
        ("MESH:D008545", ("D008545",)),
        ("MESH:D003865;MESH:D003866", ("D003865", "D003866")),
        ("MESH:D007859|MESH:D008569", ("D007859|D008569",)),
        ("mesh:c560077", ("c560077",)),
        ("OMIM:114480", ("OMIM:114480",)),
        ("CVCL:1452", ("CVCL_1452",)),
        (" CVCL_1452", ("CVCL_1452",)),
        ("-", ()),
        ("-1", ()),
        ("", ()),
        ("D1,-1", ("D1",)),
        ("c|DEL|-1|G", ("c|DEL|-1|G",)),
        ("c|SUB|G|-1607|A", ("c|SUB|G|-1607|A",)),
        (f"{RECORD};RS#:113488022;CorrespondingSpecies:9606", ("rs113488022",)),
        (RECORD, ("p|SUB|V|600|E",)),
        ("tmVar:p|SUB|L|718|Q", ("p|SUB|L|718|Q",)),
        ("tmVar:c|SUB|T||T;HGVS:c.T>T;VariantGroup:1", ("c|SUB|T||T",)),
        ("p|SUB|V|600|E;HGVS:p.V600E;VariantGroup:0", ("p|SUB|V|600|E",)),
        ("RS#:113488022;HGVS:p.V600E", ("rs113488022",)),
        ("HGVS:p.V600E", ("p.V600E",)),
        ("rs113488022", ("rs113488022",)),
    ],
)
def test_reading(raw, ids):
    assert read_ids(raw)[0] == ids


@given(st.lists(st.sampled_from(IDS), max_size=4).map(tuple))
def test_biored_ids_stay_as_they_are(ids):
    column = default_id(ids)
    assert normal_form(column) == column
    assert read_ids(column) == (ids, None)
    assert survives(ids)


@given(st.text(max_size=20))
def test_normalising_twice_is_normalising_once(raw):
    """Ids that were changed once are never changed again on the next reading."""
    ids, source_id = read_ids(raw)
    again, _ = read_ids(written_id(ids, source_id))
    assert not survives(ids) or again == ids


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        (" CVCL_1452", " CVCL_1452"),
        ("3172;3651", "3172;3651"),
        ("-", "-"),
        ("", ""),
        ("-1", "-"),
        ("MESH:D008545", "D008545"),
        (f"{RECORD};RS#:113488022", "rs113488022"),
    ],
)
def test_writing_keeps_the_spelling_only_where_the_ids_are_the_same(raw, written):
    assert written_id(*read_ids(raw)) == written


def test_ids_that_hold_a_separator_do_not_survive():
    assert not survives(("a,b",))
    assert not survives(("MESH:D1",))
    assert survives(("a", "b"))
