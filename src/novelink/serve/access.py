"""Who may use the server: whoever has its token, if it has one.

Programs send ``Authorization: Bearer TOKEN``. A browser opens ``/?token=TOKEN``
once and gets a cookie, which scripts cannot read and other sites do not send;
it holds a mark derived from the token, not the token.
"""

from __future__ import annotations

import hashlib
import hmac
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.responses import RedirectResponse

from novelink.errors import SettingsError
from novelink.serve.problems import Problem

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import Scope

COOKIE = "novelink"
SHORTEST = 16
"""Characters of a token: shorter ones can be guessed."""

OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""What anyone may ask, since supervisors of processes carry no tokens: it tells nothing."""


def read_token(path: str | Path) -> str:
    """The token in the first line of a file.

    Raises:
        SettingsError: the file cannot be read, or holds no usable token.
    """
    try:
        with Path(path).open(encoding="utf-8") as stream:
            text = stream.readline(4_096)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise SettingsError(f"cannot read the token: {reason}", source=str(path)) from error
    return checked_token(text.strip(), source=str(path))


def checked_token(token: str, *, source: str | None = None) -> str:
    """A token, if it can be one.

    Raises:
        SettingsError: it is too short, or has characters that headers cannot hold.
    """
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        raise SettingsError(
            f"a token has at least {SHORTEST} letters, digits and signs, and no blanks",
            source=source,
            remedy="Make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    return token


class Access:
    """Decides on requests.

    Args:
        token: None lets everyone in.
    """

    def __init__(self, token: str | None) -> None:
        self._token = None if token is None else token.encode()
        self._mark = (
            ""
            if self._token is None
            else hmac.new(self._token, b"novelink cookie", hashlib.sha256).hexdigest()
        )

    def check(self, scope: Scope) -> Response | None:
        """Let a request pass, or say what to answer.

        Returns:
            The answer that gives a browser its cookie; None for a request that
            may pass.

        Raises:
            Problem: 401 for one without the token.
        """
        if self._token is None or scope["path"] in OPEN_PATHS:
            return None
        headers = dict(scope["headers"])
        kind, _, sent = headers.get(b"authorization", b"").partition(b" ")
        if kind.lower() == b"bearer" and hmac.compare_digest(sent.strip(), self._token):
            return None
        if hmac.compare_digest(_cookie(headers.get(b"cookie", b"")), self._mark.encode()):
            return None
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["path"] == "/" and hmac.compare_digest(asked.encode(), self._token):
            return self._welcome(secure=scope["scheme"] == "https")
        raise Problem(
            401,
            "token",
            "this server asks for a token",
            "Send it as 'Authorization: Bearer TOKEN'; in a browser open /?token=TOKEN once",
        )

    def _welcome(self, *, secure: bool) -> Response:
        answer = RedirectResponse("/", 303)
        answer.set_cookie(COOKIE, self._mark, httponly=True, samesite="strict", secure=secure)
        return answer


def _cookie(header: bytes) -> bytes:
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(header.decode("latin-1"))
    except CookieError:
        return b""
    found = cookies.get(COOKIE)
    return b"" if found is None else found.value.encode("utf-8", "replace")
