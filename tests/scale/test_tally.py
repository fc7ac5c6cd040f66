"""Counts add up and can be taken back; progress speaks of this session's work alone."""

from __future__ import annotations

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from novelink.scale.progress import Progress, spoken_time
from novelink.scale.tally import Tally, general
from novelink.scale.worker import BlockDone

counters = st.dictionaries(st.sampled_from("abc"), st.integers(1, 5))
tallies = st.builds(
    lambda numbers, relations, notes: Tally.from_dict(
        {**numbers, "relations": relations, "notes": notes}
    ),
    st.dictionaries(st.sampled_from(["documents", "failed", "pairs"]), st.integers(0, 9)),
    counters,
    counters,
)


@given(st.lists(tallies, max_size=5))
def test_adding_and_taking_back_leaves_nothing(parts):
    total = Tally()
    for part in parts:
        total.add(part)
    assert total.documents == sum(part.documents for part in parts)
    assert Tally.from_dict(json.loads(json.dumps(total.to_dict()))) == total
    for part in parts:
        total.subtract(part)
    assert total == Tally()


def test_like_reasons_are_counted_together():
    first = "document 12: mention 'ab' at 3–5: the text there is 'cd'"
    second = "document PMC7: mention 'x y' at 30–52: the text there is ''"
    assert general(first) == general(second)
    assert general(first) != general("document 12: unknown relation type 'Bound'")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def block(number, documents, weight):
    return BlockDone("a", number, "", False, weight, [], Tally(documents=documents))


def test_the_bar_shows_rate_share_and_time_left():
    now = [0.0]
    stream = Terminal()
    progress = Progress(1000, stream, lambda: now[0])
    progress.skipped(200)  # done by an earlier session: counts as read, not as work
    now[0] = 10.0
    progress.done(block(0, 50, 200))
    assert progress.line() == (
        "[#########---------------]  40 %  50 documents, 5.0 a second, 30 s left"
    )
    progress.progressed("a", 1, 30)
    assert "80 documents, 8.0 a second" in progress.line()
    progress.done(block(1, 40, 200))
    assert "90 documents, 9.0 a second" in progress.line()
    assert stream.getvalue().count("\r") >= 1
    progress.finish()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_a_log_gets_a_line_a_minute_and_no_control_characters():
    now = [0.0]
    stream = io.StringIO()
    progress = Progress(1000, stream, lambda: now[0])
    for number in range(90):
        now[0] += 2.0
        progress.done(block(number, 1, 1))
    progress.finish()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert all(line.startswith("novelink: [") for line in lines)
    assert "\x1b" not in stream.getvalue()


def test_times_are_rounded_as_people_do():
    spoken = [spoken_time(value) for value in (0.4, 59, 61, 3599, 3600, 200_000)]
    assert spoken == ["0 s", "59 s", "1 min 1 s", "59 min", "1 h 0 min", "2 d 7 h"]
