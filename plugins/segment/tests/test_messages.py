"""What Segment gets of an event."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from eventtracking_core import BatchError, RejectedError
from eventtracking_core.encoding import JsonBatch, encode_text


@pytest.fixture(params=["inline", "from a queue"])
def sent(request, segment, a_backend):
    """Sends an event, and returns what Segment stored of it."""

    def send(event, **options):
        batch = [event] if request.param == "inline" else JsonBatch([encode_text(event)])
        a_backend(**options).send_batch(batch, timeout=60)
        return segment.messages[event["id"]]

    return send


def rejection(backend, event):
    with pytest.raises(BatchError) as caught:
        backend.send_batch([event], timeout=60)
    (error,) = caught.value.failures.values()
    assert type(error) is RejectedError
    return str(error)


def test_an_event_is_a_track_call_with_the_whole_event_as_properties(sent, an_event):
    event = an_event()
    assert sent(event) == {
        "type": "track",
        "messageId": event["id"],
        "timestamp": "2026-09-12T12:55:00.123450Z",
        "userId": "10938",
        "context": {},
        "event": "edx.problem.check",
        "properties": event | {"timestamp": "2026-09-12T12:55:00.123450Z"},
    }


def test_the_documented_fields_of_the_context_are_segments_context(sent, an_event):
    event = an_event(
        agent="Firefox/128.0",
        client_id="GA1.2.3",
        host="courses.example.org",
        ip="203.0.113.57",
        page="https://courses.example.org/a?b",
        path="/a",
        referer="https://example.org/",
        course_id="c1",
    )
    assert sent(event)["context"] == {
        "userAgent": "Firefox/128.0",
        "Google Analytics": {"clientId": "GA1.2.3"},
        "ip": "203.0.113.57",
        "page": {
            "path": "/a",
            "referrer": "https://example.org/",
            "url": "https://courses.example.org/a?b",
        },
    }


@pytest.mark.parametrize(
    ("context", "page"),
    [
        ({"host": "h.org", "path": "/a?b"}, {"path": "/a?b", "url": "https://h.org/a?b"}),
        ({"host": "h.org", "path": "a"}, {"path": "a", "url": "https://h.org/a"}),
        (
            {"page": "https://p.org", "host": "h.org", "path": "/a"},
            {"path": "/a", "url": "https://p.org"},
        ),
        (
            {"page": None, "host": "h.org", "path": "/a"},
            {"path": "/a", "url": "https://h.org/a"},
        ),
        ({"path": "/a"}, {"path": "/a"}),
        ({"referrer": "https://r.org"}, {"referrer": "https://r.org"}),
    ],
)
def test_the_address_of_a_page_is_made_where_it_is_absent(sent, an_event, context, page):
    assert sent(an_event(**context))["context"] == {"page": page}


def test_a_host_alone_and_what_is_empty_are_left_out(sent, an_event):
    assert sent(an_event(host="h.org", agent="", ip=None, page=""))["context"] == {}


def test_the_user_comes_from_the_configured_fields(sent, an_event):
    event = an_event(user_id=None, who={"id": 7}, session="s1")
    message = sent(event, user_id_field="context.who.id", anonymous_id_field="context.session")
    assert (message["userId"], message["anonymousId"]) == ("7", "s1")


def test_an_event_without_a_user_is_anonymous_or_rejected(sent, backend, an_event):
    message = sent(an_event(user_id="", anonymous_id="a1"))
    assert "userId" not in message
    assert message["anonymousId"] == "a1"
    assert "user_id_field" in rejection(backend, an_event(user_id=None))


def test_a_user_with_the_id_0_is_a_user(sent, an_event):
    assert sent(an_event(user_id=0))["userId"] == "0"


def test_an_identify_event_has_its_data_as_traits(sent, an_event):
    message = sent(an_event("edx.user.saved"), identify_events=["edx.user.saved"])
    assert message["type"] == "identify"
    assert message["traits"] == {"problem_id": "p1"}
    assert message.keys().isdisjoint({"event", "properties"})


def test_a_page_event_has_a_name_and_the_page_among_its_properties(sent, an_event):
    event = an_event("edx.page.seen", page="https://h.org/a", path="/a", referer="https://r.org")
    message = sent(event, page_events=["edx.page.seen"])
    page = {"url": "https://h.org/a", "path": "/a", "referrer": "https://r.org"}
    assert (message["type"], message["name"]) == ("page", "edx.page.seen")
    assert "event" not in message
    assert message["context"]["page"] == page
    assert message["properties"] == page | event | {"timestamp": message["timestamp"]}


def test_a_page_event_without_a_page_is_one_too(sent, an_event):
    assert sent(an_event("seen"), page_events=["seen"])["properties"]["name"] == "seen"


def test_a_callers_own_objects_are_sent_in_their_text_form(sent, an_event):
    """Delivered inline, a backend sees what the application emitted."""

    class Text(str):
        __slots__ = ()

    event = an_event(
        user_id=UUID(int=1), agent=Text("agent"), ip="half a pair: \ud800", path=["no", "text"]
    )
    event["timestamp"] = datetime(2026, 9, 12, 12, 55)  # noqa: DTZ001  the application forgot
    event["data"] = {"grade": Decimal("0.5"), "set": {1}, "nan": float("nan")}
    message = sent(event)
    assert message["userId"] == "00000000-0000-0000-0000-000000000001"
    assert message["context"] == {
        "userAgent": "agent",
        "ip": "half a pair: \N{REPLACEMENT CHARACTER}",
    }
    assert datetime.fromisoformat(message["timestamp"]) == datetime(2026, 9, 12, 12, 55, tzinfo=UTC)
    assert message["properties"]["data"] == {"grade": "0.5", "set": [1], "nan": None}


def test_events_are_left_as_they_are(backend, an_event):
    event = an_event(path="/a", host="h.org")
    before = {**event, "context": {**event["context"]}, "data": {**event["data"]}}
    backend.send_batch([event], timeout=60)
    assert event == before


def test_an_event_above_32_kib_is_rejected_before_it_is_sent(segment, backend, an_event):
    overhead = len(str(an_event())) * 2
    backend.send_batch([an_event(size=32_768 - overhead)], timeout=60)
    assert "too large" in rejection(backend, an_event(size=32_768))
    assert len(segment.requests) == 1


def test_what_is_no_event_is_rejected_and_its_batch_is_not(segment, backend, an_event):
    with pytest.raises(BatchError) as caught:
        backend.send_batch([an_event(), {}, an_event()], timeout=60)
    assert caught.value.failures.keys() == {1}
    assert segment.count == 2


def test_a_rejection_shows_nothing_of_the_event(backend, an_event):
    event = an_event(user_id=None, password="secret-word")
    assert "secret" not in rejection(backend, event)
    assert "secret" not in rejection(backend, an_event(password="secret" * 10_000))
