"""The endpoint for browsers behind its faces, ASGI and WSGI, and without one."""

from __future__ import annotations

import asyncio
import io
import json
from threading import get_ident

import pytest
from hypothesis import given
from hypothesis import strategies as st

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_web import collector
from eventtracking_web.collecting.exchange import Exchange

ORIGIN = "https://shop.example.org"
KEYS = {"public": ["shop."], "any": []}
BODY = json.dumps(
    {
        "key": "public",
        "client": "browser-1",
        "events": [{"id": "01997c9e-0000-7000-8000-000000000001", "name": "shop.page.viewed"}],
    }
).encode()


class Request:
    """A request that gets past everything but its body."""

    method = "POST"
    address = "203.0.113.9"
    is_described = False

    def header(self, name):
        known = {"origin": ORIGIN, "content-type": "text/plain"}
        return known.get(name)

    def user(self):
        return None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
events = values | st.fixed_dictionaries(
    {"id": st.text(max_size=70), "name": st.text(max_size=300)},
    optional={"timestamp": values | st.datetimes().map(str), "data": values, "context": values},
)
bodies = st.binary() | st.fixed_dictionaries(
    {"key": st.sampled_from(["public", "x"]), "events": st.lists(events, max_size=5) | values},
    optional={"client": st.text(max_size=70) | values, "sent_at": st.datetimes().map(str) | values},
).map(lambda value: json.dumps(value).encode())


@given(body=bodies, size=st.integers(1, 100))
def test_whatever_arrives_has_an_answer(body, size):
    tracker = et.Tracker({"memory": MemoryBackend()})
    endpoint = collector(tracker, keys={"public": []}, origins=[ORIGIN], rate=1e9, burst=10**9)
    exchange = Exchange(endpoint.policy, Request(), "")
    for start in range(0, len(body), size):
        exchange.feed(body[start : start + size])
    answer = exchange.end()
    assert answer.status in {200, 400, 403}
    said = json.loads(answer.body)
    if answer.status == 200:
        sent = json.loads(body)["events"]
        assert said["accepted"] + len(said["rejected"]) == len(sent)
        stored = tracker.get_backend("memory").events
        assert len(stored) == said["accepted"]
        assert {event["context"]["origin"] for event in stored} <= {"client"}


def test_the_wsgi_face_answers_the_same(tracker, memory):
    app = collector(tracker, keys=KEYS, origins=[ORIGIN]).wsgi
    answers = []

    def ask(**more):
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "CONTENT_TYPE": "text/plain;charset=UTF-8",
            "CONTENT_LENGTH": str(len(BODY)),
            "HTTP_ORIGIN": ORIGIN,
            "REMOTE_ADDR": "203.0.113.9",
            "wsgi.input": io.BytesIO(BODY),
        } | more
        text = b"".join(app(environ, lambda line, headers: answers.append(line)))
        return json.loads(text)

    assert ask() == {"accepted": 1, "rejected": []}
    ask(CONTENT_LENGTH="")
    ask(CONTENT_LENGTH=str(len(BODY) + 1))
    ask(CONTENT_LENGTH="9" * 100)
    assert ask(CONTENT_LENGTH="", **{"wsgi.input_terminated": True})["accepted"] == 1
    assert [line[:3] for line in answers] == ["200", "411", "400", "413", "200"]
    assert len(memory.events) == 2


@pytest.mark.parametrize(
    ("delivery", "is_same"),
    [
        ({"mode": "queue"}, True),
        ({"mode": "queue", "when_full": "block"}, False),
        ({"mode": "queue", "when_full": "spool"}, True),
        ({"mode": "spool"}, True),
        ({"mode": "spool", "fsync_interval": 0}, False),
        ({"mode": "inline"}, False),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else None,
)
def test_a_backend_that_blocks_holds_up_no_other_request(delivery, is_same, tmp_path, monkeypatch):
    """Events are stored by the event loop; where that may take long, by a thread."""
    monkeypatch.setenv("EVENTTRACKING_SPOOL_DIRECTORY", str(tmp_path))
    tracker = et.Tracker()
    node = {"delivery": delivery, "backends": {"sink": MemoryBackend()}}
    tracker.configure({"telemetry": False, "backends": {"r": node}})
    threads = set()
    tracker.add_context_provider(lambda: threads.add(get_ident()) or {})

    async def ask():
        scope = {
            "type": "http",
            "method": "POST",
            "headers": [(b"origin", ORIGIN.encode()), (b"content-type", b"text/plain")],
        }
        answers = []

        async def receive():
            return {"type": "http.request", "body": BODY}

        async def send(message):
            answers.append(message)

        await collector(tracker, keys=KEYS, origins=[ORIGIN])(scope, receive, send)
        return answers[0]["status"], get_ident()

    status, loop = asyncio.run(ask())
    assert status == 200
    assert (threads == {loop}) is is_same
    tracker.shutdown(5)
