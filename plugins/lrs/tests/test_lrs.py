"""Statements reach a real Learning Record Store, each once, whatever happens in between."""

from __future__ import annotations

import threading
from base64 import b64encode
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import pytest

import eventtracking_core as et
from eventtracking_core.events import new_id
from eventtracking_core.testing import BackendConformance
from eventtracking_lrs import LrsBackend


def an_event():
    return {
        "id": new_id(),
        "name": "xapi",
        "timestamp": datetime.now(UTC),
        "context": {},
        "data": {},
    }


QUICK = {"mode": "queue", "schedule_delay": 0.01, "initial_interval": 0.05, "max_interval": 0.2}


def a_statement(number=0, **fields):
    return {
        "actor": {"mbox": f"mailto:learner{number}@example.org"},
        "verb": {"id": "http://adlnet.gov/expapi/verbs/answered"},
        "object": {"id": f"http://example.org/{uuid4()}"},
        **fields,
    }


def an_lrs(url, **options):
    tracker = et.Tracker()
    node = {"type": "lrs", "url": url, **options}
    tracker.configure({"backends": {"lrs": node}})
    return tracker


def objects(ralph):
    return [each["object"]["id"] for each in ralph.statements()]


def test_statements_are_stored_under_the_ids_of_their_events(ralph, tmp_path):
    tracker = an_lrs(
        ralph.url, username="lrs", password="secret", delivery={**QUICK, "directory": str(tmp_path)}
    )
    made = [a_statement(n) for n in range(150)]
    ids = [tracker.emit("xapi", each) for each in made]
    assert tracker.flush(60)
    stored = {each["id"]: each for each in ralph.statements()}
    for event_id, each in zip(ids, made, strict=True):
        assert stored[event_id]["object"] == each["object"]
        assert stored[event_id]["timestamp"]
    assert tracker.shutdown(60)


def test_one_refused_statement_does_not_keep_the_others(ralph, tmp_path):
    tracker = an_lrs(
        ralph.url, username="lrs", password="secret", delivery={**QUICK, "directory": str(tmp_path)}
    )
    good = [a_statement(n) for n in range(9)]
    for each in good[:5]:
        tracker.emit("xapi", each)
    tracker.emit("xapi", a_statement(actor={"mbox": 7}))
    tracker.emit("none", {"a": 1})
    for each in good[5:]:
        tracker.emit("xapi", each)
    assert tracker.flush(60)
    stats = tracker.stats()["tree"]["backends"][0]
    assert (stats["delivered"], stats["dead_lettered"]) == (9, 2)
    assert {each["object"]["id"] for each in good} <= set(objects(ralph))
    assert tracker.shutdown(60)


def test_a_statement_that_is_there_is_delivered_and_another_with_its_id_is_not(ralph):
    backend = LrsBackend(ralph.url, username="lrs", password="secret")
    first = {**an_event(), "data": a_statement()}
    other = {**first, "data": a_statement()}
    later = {**an_event(), "data": a_statement()}
    backend.send_batch([first], timeout=60)
    backend.send_batch([first], timeout=60)
    with pytest.raises(et.BatchError) as caught:
        backend.send_batch([other, later], timeout=60)
    assert [type(error) for error in caught.value.failures.values()] == [et.RejectedError]
    assert list(caught.value.failures) == [0]
    found = objects(ralph)
    assert [found.count(each["data"]["object"]["id"]) for each in (first, later, other)] == [
        1,
        1,
        0,
    ]
    backend.shutdown(1)


def test_wrong_credentials_lose_nothing(ralph):
    backend = LrsBackend(ralph.url, username="lrs", password="wrong")
    with pytest.raises(et.RetryableError, match="check its credentials"):
        backend.send_batch([{**an_event(), "data": a_statement()}], timeout=60)
    with pytest.raises(et.RetryableError, match="check its credentials"):
        backend.probe(10)
    backend.shutdown(1)


def test_a_store_that_is_killed_and_started_again_has_every_statement_once(ralph, tmp_path):
    tracker = an_lrs(
        ralph.url, username="lrs", password="secret", max_statements=10,
        delivery={**QUICK, "max_batch_size": 20, "directory": str(tmp_path)},
    )  # fmt: skip
    made = [a_statement(n) for n in range(200)]
    for each in made[:100]:
        tracker.emit("xapi", each)
    ralph.kill()
    for each in made[100:]:
        tracker.emit("xapi", each)
    ralph.start()
    assert tracker.flush(60)
    found = objects(ralph)
    assert [found.count(each["object"]["id"]) for each in made] == [1] * 200
    assert tracker.shutdown(60)


class Stub(ThreadingHTTPServer):
    """Answers as told, and keeps what it was asked."""

    def __init__(self, *answers):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.requests = list(answers), []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/xAPI/"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append((self.path, dict(self.headers)))
        status, headers, *rest = self.server.answers.pop(0) if self.server.answers else (200, {})
        body = rest[0] if rest else b""
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815  http.server's names

    def log_message(self, *_):
        pass


@pytest.fixture
def stub():
    made = []

    def start(*answers):
        made.append(Stub(*answers))
        return made[-1]

    yield start
    for each in made:
        each.shutdown()
        each.server_close()


def test_requests_have_the_credentials_and_headers_that_are_configured(stub):
    server = stub()
    basic = {"username": "ü", "password": "p"}
    for options in (basic, {"token": "t"}, {"headers": {"X-Lrs": "1"}, "version": "2.0.0"}):
        backend = LrsBackend(server.url, **options)
        backend.send_batch([{**an_event(), "data": a_statement()}], timeout=60)
        backend.shutdown(1)
    (path, first), (_, second), (_, third) = server.requests
    assert path == "/xAPI/statements"
    assert first["Authorization"] == f"Basic {b64encode('ü:p'.encode()).decode()}"
    assert first["X-Experience-API-Version"] == "1.0.3"
    assert second["Authorization"] == "Bearer t"
    assert (third["X-Lrs"], third["X-Experience-API-Version"]) == ("1", "2.0.0")
    assert "Authorization" not in third


@pytest.mark.parametrize("status", [301, 401, 403, 404, 408, 429, 500, 503])
def test_what_may_pass_is_tried_again(status, stub):
    backend = LrsBackend(stub((status, {"Retry-After": "7"})).url)
    with pytest.raises(et.RetryableError) as caught:
        backend.send_batch([{**an_event(), "data": a_statement()}] * 2, timeout=60)
    assert caught.value.retry_after == 7
    backend.shutdown(1)


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b'{"error": "no"}', b"ok"])
def test_a_successful_status_with_something_else_than_ids_delivers_nothing(body, stub):
    events = [{**an_event(), "data": a_statement(n)} for n in range(2)]
    backend = LrsBackend(stub((200, {}, body), (200, {}, b'["1", "2"]')).url)
    with pytest.raises(et.RetryableError, match="without the ids of statements"):
        backend.send_batch(events, timeout=60)
    backend.send_batch(events, timeout=60)
    backend.shutdown(1)


def test_a_conflict_that_the_store_explains_in_nonsense_is_tried_again(stub):
    backend = LrsBackend(stub((409, {}), (200, {}, b"[" * 50_000)).url)
    with pytest.raises(et.RetryableError):
        backend.send_batch([{**an_event(), "data": a_statement()}], timeout=60)
    backend.shutdown(1)


def test_a_failure_in_the_middle_names_what_was_not_sent(stub):
    backend = LrsBackend(stub((204, {}), (503, {})).url, max_statements=2)
    events = [{**an_event(), "data": a_statement(n)} for n in range(6)]
    with pytest.raises(et.BatchError) as caught:
        backend.send_batch(events, timeout=60)
    assert sorted(caught.value.failures) == [2, 3, 4, 5]
    backend.shutdown(1)


def test_a_statement_that_is_too_large_is_rejected_alone(stub):
    server = stub()
    backend = LrsBackend(server.url, max_bytes=2000)
    large = {**an_event(), "data": a_statement(result={"response": "x" * 3000})}
    with pytest.raises(et.BatchError) as caught:
        backend.send_batch([large, {**an_event(), "data": a_statement()}], timeout=60)
    assert list(caught.value.failures) == [0]
    assert len(server.requests) == 1
    backend.shutdown(1)


@pytest.mark.parametrize(
    "options",
    [
        {"url": "lrs.example.org"},
        {"url": "http://user:secret@lrs.example.org"},
        {"url": "http://x", "username": "a"},
        {"url": "http://x", "password": "a"},
        {"url": "http://x", "username": "a", "password": "b", "token": "c"},
        {"url": "http://x", "max_statements": 0},
    ],
)
def test_options_that_cannot_be_used_are_refused_without_their_values(options):
    with pytest.raises(ValueError, match=r"\w") as caught:
        LrsBackend(**options)
    assert "secret" not in str(caught.value)


class TestConformance(BackendConformance):
    @pytest.fixture(autouse=True)
    def server(self, stub):
        self.stub = stub()

    def make_backend(self):
        return LrsBackend(self.stub.url)
