"""Batches hold every sample once, of one length, within the limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from novelink.runtime.batching import equal_length_batches

LENGTHS = st.lists(st.integers(1, 12), max_size=60)


def test_the_docstrings_example():
    assert list(equal_length_batches([3, 5, 3, 3], batch_tokens=6)) == [[1], [0, 2], [3]]


@given(LENGTHS, st.integers(1, 40), st.booleans())
def test_each_sample_once_equal_lengths_within_the_limit_longest_first(lengths, tokens, alone):
    batches = list(equal_length_batches(lengths, batch_tokens=tokens, alone=alone))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len({lengths[index] for index in batch}) == 1
        assert len(batch) == 1 or sum(lengths[index] for index in batch) <= tokens
        assert not alone or len(batch) == 1
    firsts = [lengths[batch[0]] for batch in batches]
    assert firsts == sorted(firsts, reverse=True)
