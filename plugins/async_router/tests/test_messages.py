"""What a message holds, and which ones a worker refuses."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode

import pytest
from async_router_desk import a_message
from delivery_fixtures import Sink
from hypothesis import given
from hypothesis import strategies as st

from eventtracking_async_router import messages


def test_no_message_holds_a_secret_a_path_to_code_or_a_pickle(desk):
    desk.app.conf.broker_transport_options = {"password": "a-secret"}
    desk.configure(store=Sink())
    desk.emit(1)
    [message] = desk.messages()
    assert message.content_type == "application/json"
    document = message.payload[0][0]
    assert document.keys() == {"version", "tracker", "node", "events", "origin"}
    assert document["origin"].keys() <= {"host", "pid", "program"}
    said = json.dumps([message.payload, message.headers])
    assert "a-secret" not in said
    assert "Sink" not in said


def test_a_stranger_can_deliver_an_event_and_is_named(desk, caplog):
    sink = Sink()
    desk.configure(store=sink)
    origin = {"host": "elsewhere\n\x1b[31m", "pid": 1, "program": "stranger"}
    with caplog.at_level("INFO", "eventtracking"):
        desk.deliver(a_message(desk, 1, origin=origin))
    assert sink.delivered == [1]
    assert "stranger on elsewhere" in caplog.text
    assert "\x1b" not in caplog.text


def text(raw):
    return b64encode(raw).decode()


BOMB = text(zlib.compress(bytes(messages.MAX_BYTES + 1), 1))


@pytest.mark.parametrize(
    "change",
    [
        {"node": "../../etc"},
        {"node": "a/b"},
        {"node": ""},
        {"leaf": ".."},
        {"version": 0},
        {"version": "1"},
        {"events": ""},
        {"events": "!!!"},
        {"events": BOMB},
        {"events": text(b"no zlib")},
        {"events": messages.pack([]) + "A"},
        {"events": text(zlib.compress(b"\x01"))},
        {"events": 7},
        {"tracker": None},
        {"since": "yesterday"},
        {"app": "os:system"},
        {"events": "A" * 100},
    ],
    ids=lambda change: "-".join(f"{key}-{str(value)[:12]}" for key, value in change.items()),
)
def test_a_hostile_message_is_refused_and_writes_nothing(desk, change, tmp_path):
    sink = Sink()
    desk.configure(store=sink)
    before = sorted(tmp_path.rglob("*"))
    desk.deliver(a_message(desk, 1, **change))
    assert (sink.calls, desk.messages()) == ([], [])
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("document", [None, [], "x", 7, {}, {"version": True}, [[[]]]], ids=repr)
def test_what_is_no_message_is_refused(desk, document):
    desk.configure(store=Sink())
    desk.deliver(document)
    assert desk.messages() == []


@given(st.binary(max_size=200) | st.text(max_size=50).map(str.encode))
def test_any_bytes_are_a_batch_or_refused(data):
    for raw in (data, zlib.compress(data)):
        try:
            parcels = messages.unpack(text(raw))
        except messages.MessageError:
            continue
        assert all(isinstance(parcel.wire, bytes) for parcel in parcels)


def test_what_is_no_event_is_left_out_and_the_others_are_delivered(desk, caplog):
    sink = Sink()
    desk.configure(store=sink)
    desk.deliver(a_message(desk, 1, 2, wires=[b"\xc1", b"", b"\x93\x01\x02\x03"]))
    assert sink.delivered == [1, 2]
    assert "3 of its events are malformed" in caplog.text


def test_a_message_of_a_newer_version_goes_back_for_a_newer_worker(desk, caplog):
    desk.configure(store=Sink())
    document = a_message(desk, 1, version=2, something="new")
    desk.deliver(document)
    [message] = desk.messages()
    assert message.payload[0][0] == document
    assert message.headers["retries"] == 1
    assert message.headers["eta"] is not None
    assert "upgrade this worker" in caplog.text
    desk.deliver(document, retries=5000)
    assert desk.messages() == []
