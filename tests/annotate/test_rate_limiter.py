"""The request rate holds over threads and processes."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from novelink.annotate.pubtator3.limiter import RateLimiter
from novelink.errors import SettingsError

RATE = 20
PERIOD = 1.0

_WORKER = """
import sys, time
from pathlib import Path
from novelink.annotate.pubtator3.limiter import RateLimiter
limiter = RateLimiter("host", float(sys.argv[1]), Path(sys.argv[2]))
print(time.time())
for _ in range(int(sys.argv[3])):
    limiter.wait()
    print(time.time())
"""


def test_threads_together_keep_the_rate(tmp_path):
    """Four threads of 8 turns each, at 20 a second: a second must pass before the 21st turn."""
    limiter = RateLimiter("host", RATE, tmp_path)
    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: [limiter.wait() for _ in range(8)], range(4)))
    assert time.monotonic() - began >= PERIOD


def test_processes_together_keep_the_rate(tmp_path):
    """Two processes of 15 turns each, at 20 a second: a second must pass before the 21st turn."""
    command = [sys.executable, "-c", _WORKER, str(RATE), str(tmp_path), "15"]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    times = [float(line) for worker in workers for line in worker.communicate()[0].split()]
    assert all(worker.returncode == 0 for worker in workers)
    assert len(times) == 2 * (1 + 15)
    assert max(times) - min(times) >= PERIOD


def test_two_services_do_not_share_their_rate(tmp_path):
    first, second = (RateLimiter(name, 1, tmp_path) for name in ("a", "b"))
    began = time.monotonic()
    first.wait()
    second.wait()
    assert time.monotonic() - began < 1


def test_a_hold_makes_everyone_wait(tmp_path):
    first, second = (RateLimiter("host", 1000, tmp_path) for _ in range(2))
    began = time.monotonic()
    first.hold(0.2)
    second.wait()
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(
    "state", ["", "{", '{"starts": 5}', '{"starts": [9e99], "hold_until": 9e99}']
)
def test_a_damaged_state_or_a_clock_set_back_does_not_stop_the_run(tmp_path, state):
    limiter = RateLimiter("host", 1, tmp_path)
    limiter.path.parent.mkdir(exist_ok=True)
    limiter.path.write_text(state)
    began = time.monotonic()
    limiter.wait()
    assert time.monotonic() - began < 1


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="TMPDIR"):
        RateLimiter("host", 3, tmp_path / "file").wait()
