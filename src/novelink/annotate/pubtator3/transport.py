"""One HTTP call to NCBI: paced, tried again where that helps, told apart where it does not."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from novelink import __version__
from novelink.annotate.pubtator3.limiter import RateLimiter
from novelink.errors import NovelinkError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from novelink.annotate.pubtator3.settings import PubTatorSettings

_LOG = logging.getLogger(__name__)
T = TypeVar("T")

_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_WORTH_SAYING_SECONDS = 5.0
_EUTILS_WITH_KEY_PER_SECOND = 10.0


class ServiceError(NovelinkError):
    """A web service did not answer, or not with what was asked for.

    Attributes:
        status: HTTP status of the last answer; None where there was none.
    """

    status: int | None = None


class BlockedError(ServiceError):
    """NCBI blocks this client: asking on would only prolong it."""


class RefusedError(ServiceError):
    """The service answered that this request will not work (400, 404, …)."""


class UnreachableError(ServiceError):
    """All tries failed: no connection, cut answers, or a service that is down."""


class _AgainError(ServiceError):
    """This try failed, another may not."""

    # The limiter itself makes everyone wait after a Retry-After.
    waits_in_limiter = False


class Transport:
    """Calls with the rate, patience and error classes that NCBI needs. Thread-safe.

    Args:
        settings: addresses, limits and waiting times.
    """

    def __init__(self, settings: PubTatorSettings) -> None:
        self.settings = settings
        self._client = httpx.Client(
            headers={"User-Agent": f"novelink/{__version__}"},
            timeout=settings.timeout_seconds,
            verify=_certificates(),
            follow_redirects=True,
        )
        self._limiters: dict[str, RateLimiter] = {}

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def call(
        self,
        method: str,
        url: str,
        parse: Callable[[bytes], T],
        *,
        query: Mapping[str, Any] | None = None,
        form: Mapping[str, Any] | None = None,
        attempts: int | None = None,
    ) -> T:
        """Send a request until it is answered, refused or given up.

        Args:
            method: ``"GET"`` or ``"POST"``.
            url: address without query.
            parse: makes the result of the body; its ValueError means that the
                body was cut or is something else, and the call is tried again.
            query: query parameters.
            form: form fields of a POST.
            attempts: tries; the settings' by default.

        Raises:
            BlockedError: the answer is NCBI's page for blocked clients.
            RefusedError: another status than 200 that waiting will not change.
            UnreachableError: every try failed.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(_AgainError),
            stop=stop_after_attempt(attempts or self.settings.attempts),
            wait=self._pause,
            before_sleep=_tell,
            sleep=time.sleep,
            reraise=True,
        )
        try:
            result: T = retrying(self._try, method, url, parse, query, form)
        except _AgainError as error:
            raised = UnreachableError(
                f"{error.message} ({attempts or self.settings.attempts} tries)",
                source=error.source,
                remedy="Try again later, or use --annotator offline",
            )
            raised.status = error.status
            raise raised from error
        return result

    def _try(
        self,
        method: str,
        url: str,
        parse: Callable[[bytes], T],
        query: Mapping[str, Any] | None,
        form: Mapping[str, Any] | None,
    ) -> T:
        limiter = self._limiter(url)
        limiter.wait()
        try:
            answer = self._client.request(method, url, params=query, data=form)
        except httpx.TimeoutException as error:
            seconds = self.settings.timeout_seconds
            raise _AgainError(f"no answer within {seconds:g} s", source=url) from error
        except httpx.TransportError as error:
            raise _AgainError(f"connection failed ({_reason(error)})", source=url) from error
        except httpx.HTTPError as error:
            raise RefusedError(f"cannot be asked ({_reason(error)})", source=url) from error
        self._check_status(answer, url, limiter)
        try:
            return parse(answer.content)
        except ValueError as error:
            what = "a web page" if _is_html(answer.content) else "an answer that is cut or damaged"
            raise _AgainError(f"sent {what} instead of data ({error})", source=url) from error

    def _check_status(self, answer: httpx.Response, url: str, limiter: RateLimiter) -> None:
        if _is_html(answer.content) and b"error blocked diagnostic" in answer.content.lower():
            raise BlockedError(
                "NCBI blocks requests from this address",
                source=url,
                remedy="Wait some hours and ask for less at a time; the page at this address in "
                "a browser names whom to write to. Meanwhile --annotator offline works",
            )
        if answer.status_code == httpx.codes.OK:
            return
        if answer.status_code in _BUSY:
            error = _AgainError(f"answered {answer.status_code}", source=url)
            error.status = answer.status_code
            seconds = _retry_after(answer.headers.get("Retry-After", ""))
            if seconds is not None:
                self._obey(seconds, url, limiter)
                error.waits_in_limiter = True
            raise error
        refused = RefusedError(f"answered {answer.status_code}", source=url)
        refused.status = answer.status_code
        raise refused

    def _obey(self, seconds: float, url: str, limiter: RateLimiter) -> None:
        limit = self.settings.retry_after_limit_seconds
        if seconds > limit:
            error = UnreachableError(
                f"asks to wait {seconds:,.0f} s, longer than the limit of {limit:g} s",
                source=url,
                remedy="Try again later, or use --annotator offline",
            )
            error.status = httpx.codes.TOO_MANY_REQUESTS
            raise error
        if seconds >= _WORTH_SAYING_SECONDS:
            _LOG.warning("%s asks to wait %.0f s", url, seconds)
        limiter.hold(seconds)

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _AgainError) and error.waits_in_limiter:
            return 0.0
        first, longest = self.settings.wait_seconds, self.settings.wait_limit_seconds
        # Half is certain, half random: clients that failed together do not return together.
        return min(
            longest, first * 2.0 ** (state.attempt_number - 1)
        ) / 2 + wait_random_exponential(multiplier=first / 2, max=longest / 2)(state)

    def _limiter(self, url: str) -> RateLimiter:
        host = urlsplit(url).netloc
        if host not in self._limiters:
            rate = self.settings.requests_per_second
            if self.settings.api_key and url.startswith(self.settings.eutils_url):
                rate = max(rate, _EUTILS_WITH_KEY_PER_SECOND)
            self._limiters[host] = RateLimiter(host, rate, self.settings.lock_folder)
        return self._limiters[host]


@cache
def _certificates() -> ssl.SSLContext:
    """Loading them takes longer than a request does."""
    return httpx.create_ssl_context()


def _tell(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    _LOG.warning("%s; trying again (try %d)", error, state.attempt_number + 1)


def _reason(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__


def _is_html(body: bytes) -> bool:
    start = body[:512].lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html")) or b"<html" in start


def _retry_after(value: str) -> float | None:
    """Seconds of a ``Retry-After`` header: a number or a date (RFC 9110, 10.2.3)."""
    value = value.strip()
    if not value:
        return None
    if value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
