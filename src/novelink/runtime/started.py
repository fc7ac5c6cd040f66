"""Work that threads do while the caller goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

Result = TypeVar("Result")


class Started(Generic[Result]):
    """Jobs that are being done.

    Args:
        results: one a job, to be called for its result; a job that is not
            under way yet is done when called.
        futures: work under way.

    Attributes:
        futures: the same.
    """

    def __init__(
        self,
        results: Sequence[Callable[[], Result]],
        futures: Sequence[Future[Result]] = (),
    ) -> None:
        self._results = results
        self.futures = futures

    def results(self) -> list[Result]:
        """Wait.

        Raises:
            ModelError: the graph fails on an input or gives NaN or infinity.
        """
        return [result() for result in self._results]

    def cancel(self) -> None:
        """Begin nothing more."""
        for future in self.futures:
            future.cancel()
