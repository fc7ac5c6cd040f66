"""No bytes whatever make a reader, a request or a model folder fail in a way that is not ours.

The same targets as ``make fuzz`` has, with changes that hypothesis thinks of: a short look on every
run of the tests, where the fuzzer takes its time.
"""

from __future__ import annotations

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("fastapi", reason="request bodies need the extra 'serve'")

NAMES = [
    "pubtator", "bioc-xml", "bioc-json", "jsonl", "pubmed-xml", "medline", "text-tsv", "ids",
    "text", "text-whole", "any", "archive", "splitting", "rest-body", "request", "model-config",
    "model-manifest", "model-tokenizer", "model-graph", "model-set", "schema", "decisions",
]  # fmt: skip


def test_all_targets_are_tried(fuzzing):
    targets, _ = fuzzing
    assert sorted(targets.TARGETS) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,  # a new finding must not stop somebody else's work
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_changed_seeds_and_plain_noise(fuzzing, caplog, name, data):
    targets, seeds = fuzzing
    caplog.set_level(logging.CRITICAL)
    target = targets.TARGETS[name]
    content = bytearray(data.draw(st.sampled_from(seeds.seeds(name)) | st.binary(max_size=300)))
    words = [word.encode("latin-1") for word in target.words] or [b"\0"]
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(content)))
        stop = data.draw(st.integers(start, min(len(content), start + 40)))
        content[start:stop] = data.draw(
            st.sampled_from(words) | st.binary(max_size=8) | st.just(bytes(content[start:stop] * 2))
        )
    target.run(bytes(content))
