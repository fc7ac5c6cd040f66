"""Changes to JSON as a tree: bytes changed at random are seldom JSON any more."""

from __future__ import annotations

import copy
import json
import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 255, 2**31, 2**63, 10**12, 10**30, -(10**12), 0.5, 1e308,
    float("inf"), float("nan"), "", " ", "-", "a", "\t", "\n", "\x00", "\ud800", "\u2028", "0",
    "-1", "1e9", "٣", "99999999999999", "x" * 300, "a,b;c|d", "../../x", [], {}, [[]], [{}], {"": 0},
    [None], [0, 1], ["a", "b"], [0, 1, 0.5], {"type": "Gene"}, {"key": {"key": []}},
)  # fmt: skip
_CHANCE_OF_TREE = 0.7
_MOST_CHANGES = 4


def _places(value: Any, found: list[tuple[Any, Any]]) -> None:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        found.append((value, key))
        if isinstance(inner, dict | list):
            _places(inner, found)


def _change(root: list[Any], chance: random.Random) -> None:
    places: list[tuple[Any, Any]] = []
    _places(root, places)
    holder, key = chance.choice(places)
    way = chance.randrange(8)
    if way < 3:
        holder[key] = copy.deepcopy(chance.choice(_ODD_VALUES))
    elif way == 3:
        other, other_key = chance.choice(places)
        holder[key] = copy.deepcopy(other[other_key])
    elif way == 4 and holder is not root:
        del holder[key]
    elif way == 5 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif way == 6:
        for _ in range(chance.choice((1, 3, 200))):
            holder[key] = [holder[key]] if chance.random() < 0.5 else {"passages": holder[key]}
    elif isinstance(holder[key], int) and not isinstance(holder[key], bool):
        holder[key] += chance.choice((-2, -1, 1, 2, 1000))
    elif isinstance(holder[key], str):
        place = chance.randint(0, len(holder[key]))
        odd = chance.choice(("", " ", "\n", "\t", "é", "😀", "\ud83d", "|", ",", "\x1b", "0"))
        holder[key] = holder[key][:place] + odd + holder[key][place + chance.randrange(2) :]
    elif isinstance(holder, dict):
        holder[chance.choice(_ODD_VALUES[17:30])] = holder.pop(key)


def _bytes_changed(
    data: bytes, words: Sequence[bytes], longest: int, chance: random.Random
) -> bytes:
    """A few bytes flipped, words put in, pieces left out or said twice."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, _MOST_CHANGES)):
        place = chance.randint(0, len(changed))
        stop = min(len(changed), place + chance.choice((1, 1, 2, 8, 64)))
        way = chance.randrange(5)
        if way == 0 and place < len(changed):
            changed[place] = chance.randrange(256)
        elif way == 1:
            changed[place:place] = chance.choice(words)
        elif way == 2:
            del changed[place:stop]
        elif way == 3:
            changed[place:place] = changed[place:stop]
        elif way == 4 and place < len(changed):
            changed[place] ^= 1 << chance.randrange(8)
    return bytes(changed[:longest])


def json_mutator(
    words: Sequence[bytes], skipped: int = 0, *, lines: bool = False
) -> Callable[[bytes, int, int], bytes]:
    """A mutator for JSON.

    Args:
        words: to put in where bytes are changed, for the rest of the time and
            for what is no JSON.
        skipped: bytes before the JSON, kept as they are.
        lines: change one line of several.
    """

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() > _CHANCE_OF_TREE:
            return _bytes_changed(data, words, longest, chance)
        body = data[skipped:]
        pieces = body.split(b"\n") if lines else [body]
        index = chance.randrange(len(pieces))
        try:
            root = [json.loads(pieces[index])]
            for _ in range(chance.randint(1, _MOST_CHANGES)):
                _change(root, chance)
            pieces[index] = json.dumps(root[0], ensure_ascii=chance.random() < 0.5).encode(
                "utf-8", "surrogatepass"
            )
        except (ValueError, RecursionError, TypeError, KeyError, IndexError):
            return _bytes_changed(data, words, longest, chance)
        changed = data[:skipped] + b"\n".join(pieces)
        return changed if len(changed) <= longest else _bytes_changed(data, words, longest, chance)

    return mutate
