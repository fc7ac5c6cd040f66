"""Work in real processes of its own, started the way a launcher starts them."""

from __future__ import annotations

import multiprocessing
import os
import socket
import traceback
from pathlib import Path

# A forked child has torch imported already, which takes longer than everything it does here.
CONTEXT = multiprocessing.get_context("fork")


def run_processes(count, work, *, timeout=100):
    """Run ``work()`` in some processes that know of each other; their exit codes.

    A process that fails prints why; one that was killed has a negative code.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [
        CONTEXT.Process(target=_child, args=(work, rank, count, port)) for rank in range(count)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout)
    for process in processes:
        if process.is_alive():
            process.kill()
            process.join()
    return [process.exitcode for process in processes]


def _child(work, rank, count, port):
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)
    if count > 1:
        os.environ |= {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(count),
            "LOCAL_WORLD_SIZE": str(count),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "ACCELERATE_USE_CPU": "true",
        }
    try:
        work()
    except BaseException:  # noqa: BLE001 (whatever it is, the parent must see a failed process)
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def weights(folder):
    """The weights of a saved model, by name."""
    from safetensors.torch import load_file

    return load_file(Path(folder) / "model.safetensors")
