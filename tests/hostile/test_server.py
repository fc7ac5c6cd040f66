"""The server against other users, other sites and hostile requests; what it logs of them."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")

from click.testing import CliRunner
from starlette.testclient import TestClient

from novelink.cli.serve import command
from novelink.errors import SettingsError
from novelink.extractor import Extractor
from novelink.serve import server
from novelink.serve.access import COOKIE, read_token
from novelink.serve.app import create_app
from novelink.serve.settings import ServeSettings

TOKEN = "a-token-of-some-length"
SECRET = "Zelamine made patient Q ill"
"""Text of a user that must not get into any log."""


@pytest.fixture
def client(tiny_bundle):
    """A function that starts an application and gives a client."""
    opened = []

    def start(**settings):
        settings = ServeSettings(**{"hosts": ("testserver",), **settings})
        app = create_app(Extractor.load(tiny_bundle, threads=1), settings)
        one = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
        one.__enter__()
        opened.append(one)
        return one

    yield start
    for one in opened:
        one.__exit__(None, None, None)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


class TestToken:
    @pytest.fixture
    def guarded(self, client):
        return client(token=TOKEN)

    @pytest.mark.parametrize(
        "path", ["/", "/v1/schema", "/v1/jobs", "/v1/gold", "/metrics", "/openapi.json", "/nowhere"]
    )
    def test_nothing_is_told_without_it(self, guarded, path):
        answer = guarded.get(path)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json()["error"]["code"] == "token"

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            bearer(""),
            bearer(TOKEN[:-1]),
            bearer(TOKEN + "x"),
            {"Authorization": TOKEN},
            {"Authorization": f"Basic {TOKEN}"},
            {"Cookie": f"{COOKIE}={TOKEN}"},
            {"Cookie": f"{COOKIE}="},
            {"Cookie": "\x00=;;==" + "a" * 5_000},
            bearer("ü".encode("latin-1").decode("latin-1")),
        ],
    )
    def test_nothing_near_it_opens_the_server(self, guarded, headers):
        sent = {name: value.encode("latin-1") for name, value in headers.items()}
        assert guarded.post("/v1/extract", headers=sent, content=b"x").status_code == 401

    def test_programs_send_it_as_a_header(self, guarded):
        assert guarded.get("/v1/schema", headers=bearer(TOKEN)).status_code == 200

    def test_a_browser_gets_a_cookie_that_scripts_and_other_sites_cannot_use(self, guarded):
        assert guarded.get("/?token=wrong").status_code == 401
        assert guarded.get(f"/v1/schema?token={TOKEN}").status_code == 401
        welcome = guarded.get(f"/?token={TOKEN}")
        assert (welcome.status_code, welcome.headers["Location"]) == (303, "/")
        cookie = welcome.headers["Set-Cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert TOKEN not in cookie
        assert guarded.get("/").status_code == 200
        assert guarded.get("/v1/jobs").status_code == 200

    def test_supervisors_of_processes_need_none(self, guarded):
        assert guarded.get("/healthz").status_code == 200
        assert guarded.get("/readyz").status_code == 200

    @pytest.mark.parametrize(
        "text", ["", "short", "with a blank in the middle", "ü" * 20, "a" * 15]
    )
    def test_a_token_that_could_be_guessed_or_not_be_sent_is_refused(self, tmp_path, text):
        (tmp_path / "t").write_text(text, encoding="utf-8")
        with pytest.raises(SettingsError, match="at least 16"):
            read_token(tmp_path / "t")

    def test_the_first_line_of_a_file_is_the_token(self, tmp_path):
        (tmp_path / "t").write_text(f"{TOKEN}\nmore\n", encoding="utf-8")
        assert read_token(tmp_path / "t") == TOKEN
        (tmp_path / "b").write_bytes(b"\xff" * 20)
        for path in (tmp_path / "missing", tmp_path / "b", tmp_path):
            with pytest.raises(SettingsError, match="cannot read the token"):
                read_token(path)

    def test_it_is_not_shown_with_the_settings(self):
        assert TOKEN not in repr(ServeSettings(token=TOKEN))


WANTED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class TestHeaders:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/", 200),
            ("GET", "/v1/schema", 200),
            ("GET", "/assets/page.css", 200),
            ("GET", "/nowhere", 404),
            ("PATCH", "/v1/extract", 405),
            ("POST", "/v1/extract", 422),
        ],
    )
    def test_every_answer_has_them(self, client, method, path, status):
        answer = client().request(method, path)
        assert answer.status_code == status
        assert {name: answer.headers[name] for name in WANTED} == WANTED
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] in {"no-store", "no-cache"}
        assert "server" not in answer.headers

    def test_refusals_have_them_too(self, client):
        one = client(token=TOKEN)
        for answer in (
            one.get("/v1/schema"),
            one.get("/v1/schema", headers={"Host": "evil.example"}),
            one.post("/v1/extract", headers={"Origin": "https://evil.example"}),
        ):
            assert answer.status_code in {401, 403, 421}
            assert {name: answer.headers[name] for name in WANTED} == WANTED

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver"])
    def test_no_origin_is_allowed_to_read_answers(self, client, origin):
        one = client()
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        }
        answers = [one.options("/v1/extract", headers=asked)]
        answers.append(one.get("/v1/schema", headers={"Origin": origin}))
        for answer in answers:
            assert not [name for name in answer.headers if name.startswith("access-control")]


class TestRequests:
    @pytest.mark.parametrize(
        "host", ["[::1", "[x]", "a@b:c", "", "//", "evil.example", "\xff", "[", "]"]
    )
    def test_a_host_that_is_none_is_another_host(self, client, host):
        answer = client().get("/v1/schema", headers={"Host": host.encode("latin-1")})
        assert answer.status_code == 421

    @pytest.mark.parametrize("origin", ["http://[", "http://[::1", "null", "", "//testserver@evil"])
    def test_an_origin_that_is_none_is_another_origin(self, client, origin):
        answer = client().post("/v1/extract", headers={"Origin": origin}, content=b"A b.")
        assert answer.status_code == 403

    @pytest.mark.parametrize(
        "body",
        [
            "[" * 100_000,
            '{"documents": ' + "[" * 500 + "]" * 500 + "}",
            '{"pmids": [' + "[" * 90 + "]" * 90 + "]}",
            '{"pmids": ["\\ud800"]}',
            '{"documents": [{"id": "\\ud800", "title": "A"}]}',
            '{"documents": [{"id": "1", "passages": [{"offset": 1000000000000, "text": "A"}]}]}',
            '{"text": 1}',
            '{"documents": {}}',
            "nan",
            '{"documents": [NaN, 1e999, null]}',
        ],
    )
    def test_hostile_bodies_are_bad_requests(self, client, body):
        answer = client().post(
            "/v1/extract", headers={"Content-Type": "application/json"}, content=body.encode()
        )
        assert answer.status_code == 422
        assert len(answer.content) < 5_000

    @pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\x0c", "\x1e", "\x0b"])
    def test_line_ends_of_unicode_in_a_text_do_not_break_the_answer(self, client, sign):
        body = json.dumps({"id": "1", "title": f"A{sign}b", "infons": [["k", f"a{sign}b"]]})
        answer = client().post(
            "/v1/extract?entities=given",
            headers={"Content-Type": "application/json"},
            content=body.encode(),
        )
        (document,) = answer.json()["documents"]
        assert document["passages"][0]["text"] == f"A{sign}b"
        assert document["infons"] == [["k", f"a{sign}b"]]


class TestLog:
    def test_a_fault_is_logged_by_kind_and_place_without_what_was_sent(
        self, client, monkeypatch, caplog
    ):
        one = client()

        def broken(*_, **__):
            raise RuntimeError(f"cannot cope with {SECRET}")

        monkeypatch.setattr("novelink.serve.rest.parse", broken)
        caplog.set_level(logging.DEBUG)
        answer = one.post("/v1/extract", content=SECRET.encode())
        assert answer.status_code == 500
        assert answer.json()["error"]["code"] == "fault"
        assert {name: answer.headers[name] for name in WANTED} == WANTED
        assert SECRET not in caplog.text
        assert SECRET not in answer.text
        (record,) = [one for one in caplog.records if one.levelno >= logging.ERROR]
        assert "RuntimeError" in record.getMessage()
        assert "test_server.py" in record.getMessage()
        assert record.exc_info is None

    def test_a_document_that_breaks_the_model_is_not_quoted(self, client, monkeypatch, caplog):
        one = client()

        def broken(*_, **__):
            raise RuntimeError(f"cannot cope with {SECRET}")

        monkeypatch.setattr(one.app.state.service.extractor, "extract", broken)
        caplog.set_level(logging.DEBUG)
        body = json.dumps({"id": SECRET, "title": SECRET})
        answer = one.post(
            "/v1/extract?entities=given",
            headers={"Content-Type": "application/json"},
            content=body.encode(),
        )
        assert answer.status_code == 500
        assert SECRET not in caplog.text
        assert "RuntimeError" in caplog.text

    def test_what_is_read_without_fault_is_not_logged_at_all(self, client, caplog):
        caplog.set_level(logging.DEBUG, logger="novelink")
        body = json.dumps({"id": "1", "title": SECRET}).encode()
        answer = client().post(
            "/v1/extract?entities=given", headers={"Content-Type": "application/json"}, content=body
        )
        assert answer.status_code == 200
        assert SECRET not in caplog.text

    def test_requests_are_not_logged_by_path(self, monkeypatch):
        chosen = {}
        monkeypatch.setattr(server.uvicorn, "Config", lambda _, **settings: chosen.update(settings))
        monkeypatch.setattr(server, "Server", lambda _: SimpleNamespace(run=lambda **_: None))
        monkeypatch.setattr(server.signal, "signal", lambda *_: None)
        server.run(None, None, 1)
        assert chosen["access_log"] is False
        assert chosen["server_header"] is False


def test_the_server_listens_on_loopback_unless_told_otherwise():
    (host,) = [option for option in command.params if option.name == "host"]
    assert host.default == "127.0.0.1"
    assert ServeSettings().hosts == ()
    assert ServeSettings().token is None


def test_a_missing_token_file_is_wrong_usage_before_anything_starts(tmp_path):
    done = CliRunner().invoke(command, ["--token-file", str(tmp_path / "none"), "--port", "0"])
    assert isinstance(done.exception, SettingsError)
