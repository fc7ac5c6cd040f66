"""The response cache: bounded, shared, dispensable."""

import os
import threading

from novelink.annotate.pubtator3.cache import ResponseCache


def test_what_was_put_is_there_for_another_process(tmp_path):
    path = tmp_path / "deep" / "cache.sqlite"
    ResponseCache(path, 1).put({"a": b"1", "b": b"2"})
    assert ResponseCache(path, 1).get(["a", "b", "c"]) == {"a": b"1", "b": b"2"}


def test_dropping_forgets(tmp_path):
    cache = ResponseCache(tmp_path / "c.sqlite", 1)
    cache.put({"a": b"1"})
    cache.drop("a")
    assert cache.get(["a"]) == {}


def test_more_keys_than_one_query_takes(tmp_path):
    cache = ResponseCache(tmp_path / "c.sqlite", 1)
    answers = {f"k{number}": b"x" for number in range(1200)}
    cache.put(answers)
    assert cache.get(answers) == answers


def test_the_longest_unused_go_first_and_the_bound_holds(tmp_path):
    cache = ResponseCache(tmp_path / "c.sqlite", 0.1)
    for number in range(20):
        # Random bytes do not compress, so sizes are what they seem.
        cache.put({f"k{number}": os.urandom(10_000)})
        cache.get(["k0"])
        assert cache.size_bytes() <= 100_000
    assert set(cache.get([f"k{number}" for number in range(20)])) >= {"k0", "k19"}
    assert cache.get(["k1"]) == {}


def test_threads_share_it(tmp_path):
    cache = ResponseCache(tmp_path / "c.sqlite", 1)
    threads = [
        threading.Thread(target=cache.put, args=({f"t{number}": b"x"},)) for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cache.get([f"t{number}" for number in range(8)])) == 8


def test_a_file_that_is_no_cache_costs_a_warning_and_nothing_else(tmp_path, caplog):
    path = tmp_path / "c.sqlite"
    path.write_bytes(b"this is a letter, not a database" * 100)
    cache = ResponseCache(path, 1)
    cache.put({"a": b"1"})
    assert cache.get(["a"]) == {}
    assert cache.size_bytes() == 0
    assert caplog.text.count("going on without the cache") == 1
    assert path.read_bytes().startswith(b"this is a letter")
