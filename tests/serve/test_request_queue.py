"""The queue that all clients share, apart from HTTP."""

import asyncio

import pytest

from novelink.serve.batching import Batcher, ReadOptions


class Reader:
    """Gives every document back."""

    def extract(self, documents, **_):
        return list(documents)


@pytest.fixture
def batcher():
    counted = []
    made = Batcher(
        Reader(),
        max_queue=100,
        batch_pairs=10,
        observe=lambda documents, pairs, seconds: counted.append((documents, pairs)),
    )
    made.counted = counted
    made.start()
    yield made
    made.stop()


async def answers(batcher, documents):
    return [answer async for answer in batcher.read(documents, [1] * len(documents), ReadOptions())]


def test_a_request_without_documents_never_joins_the_queue(batcher, small_documents, monkeypatch):
    """There it could end the reading thread, and every later request waited for ever."""
    joined = []
    enter = batcher._enter

    def noted(documents, pairs, options):
        joined.append(len(documents))
        return enter(documents, pairs, options)

    monkeypatch.setattr(batcher, "_enter", noted)

    async def run():
        assert await answers(batcher, []) == []
        found = await asyncio.wait_for(answers(batcher, small_documents[:2]), 60)
        assert sorted(index for index, _ in found) == [0, 1]

    asyncio.run(run())
    assert joined == [2]


def test_documents_are_counted_before_their_answers_go_out(batcher, small_documents):
    async def run():
        for round_number in range(1, 30):
            await answers(batcher, small_documents[:1])
            assert len(batcher.counted) == round_number

    asyncio.run(run())
