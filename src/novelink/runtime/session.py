"""One graph on onnxruntime's CPU kernels."""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING, Any

from novelink.errors import ModelError
from novelink.runtime.bundle import GRAPH, Bundle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

# The kernel of addition and normalisation in one takes three times as long as the two apart, a
# twelfth of a small int8 model's time.
_SLOWER = ["SkipLayerNormFusion"]

_POOL_LOCK = threading.Lock()

DIRECTION = "direction"
"""Output of models that also say which entity acts; others have no such output."""

Arrays = dict[str, "NDArray[np.float32]"]


class Session:
    """A graph that may be run from several threads at once.

    One run uses one thread. Whoever wants more cores runs several inputs side
    by side: the order in which a kernel adds numbers then cannot depend on the
    number of threads, and for inputs of this size it is also the faster way.

    Args:
        bundle: a checked model.
        inputs: names that the caller will feed.
        outputs: names that the caller needs; the graph may have more.

    Raises:
        ModelError: onnxruntime cannot open the graph, or its inputs or outputs
            are not these.

    Attributes:
        outputs: what a run gives by default; :data:`DIRECTION` is among them
            where the model was trained for it.
    """

    def __init__(self, bundle: Bundle, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        source = str(bundle.folder / GRAPH)
        self._session = open_graph(bundle)
        _check_names("input", [item.name for item in self._session.get_inputs()], inputs, source)
        if DIRECTION in bundle.config.get("tasks", ()):
            outputs = (*outputs, DIRECTION)
        found = [item.name for item in self._session.get_outputs()]
        _check_names("output", [name for name in found if name in outputs], outputs, source)
        self.outputs = tuple(outputs)

    def width(self, name: str) -> int:
        """Size of an input's last axis, where the graph fixes it."""
        (found,) = (item.shape[-1] for item in self._session.get_inputs() if item.name == name)
        return int(found)

    def run(self, feed: Mapping[str, NDArray[Any]], outputs: Sequence[str] | None = None) -> Arrays:
        """Output name → array, for inputs of one shape.

        Args:
            feed: input name → array.
            outputs: which ones; all by default.

        Raises:
            ModelError: the graph fails on this input.
        """
        try:
            wanted = self.outputs if outputs is None else tuple(outputs)
            values = self._session.run(list(wanted), dict(feed))
        except Exception as error:  # as above
            reason = " ".join(str(error).split())
            raise ModelError(f"the model failed on an input: {reason}") from error
        return dict(zip(wanted, values, strict=True))


def _shares_memory() -> bool:
    with _POOL_LOCK:
        return _has_pool()


@cache
def _has_pool() -> bool:
    """Whether all sessions of this process take memory from one pool that grows by what is asked.

    A session's own pool doubles whenever it is short of memory. Texts are of
    ever new lengths, so over thousands of them it comes to twice of what any
    run needs, and each thread's runs add to that.
    """
    import onnxruntime

    kind = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    place = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, onnxruntime.OrtMemType.DEFAULT)
    unlimited, as_requested, usual = 0, 1, -1
    settings = onnxruntime.OrtArenaCfg(unlimited, as_requested, usual, usual)
    try:
        onnxruntime.create_and_register_allocator(place, settings)
    except Exception:  # noqa: BLE001 (it raises no narrower one: somebody else's pool is there)
        return False
    return True


def open_graph(bundle: Bundle) -> Any:
    """An onnxruntime session of a checked model's graph, whatever its inputs.

    Raises:
        ModelError: onnxruntime cannot open it.
    """
    import onnxruntime

    source = str(bundle.folder / GRAPH)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    if _shares_memory():
        options.add_session_config_entry("session.use_env_allocators", "1")
    # Plans for buffers are kept per input shape; here almost every shape is new.
    options.enable_mem_pattern = False
    options.log_severity_level = 3  # errors: they are raised, and stderr is for people
    # Checked bytes rather than the path, so that what runs is what was checked.
    graph: bytes | str = source if bundle.graph.external_files else bundle.contents[GRAPH]
    try:
        return onnxruntime.InferenceSession(
            graph, options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOWER
        )
    except Exception as error:  # onnxruntime's errors share no narrower base
        reason = " ".join(str(error).split())
        raise ModelError(
            f"onnxruntime cannot open the graph: {reason}",
            source=source,
            remedy="Update onnxruntime, or export the model again",
        ) from error


def _check_names(kind: str, found: Sequence[str], wanted: Sequence[str], source: str) -> None:
    if sorted(found) != sorted(wanted):
        raise ModelError(
            f"the graph's {kind}s are {', '.join(sorted(found))}; "
            f"expected {', '.join(sorted(wanted))}",
            source=source,
            remedy="Export the model again with this version",
        )
