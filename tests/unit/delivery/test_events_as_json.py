"""A backend that takes JSON gets the text that the emitting thread made."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paths_below import paths_below
from waiting import wait_until

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.delivery import DeadLetters
from eventtracking_core.delivery.storage.spool import Spool
from eventtracking_core.encoding import (
    JsonBatch,
    decode_json,
    encode_json,
    encode_msgpack,
    encode_table,
    encode_text,
    with_parts,
)
from eventtracking_core.testing import hostile

pytestmark = pytest.mark.native

MOMENT = datetime(2026, 9, 12, 12, tzinfo=UTC)


class JsonSink:
    """Keeps the batches that it takes."""

    takes_json = True

    def __init__(self):
        self.batches = []

    def send_batch(self, events, *, timeout):
        self.batches.append(events)

    @property
    def texts(self):
        return [text for batch in self.batches for text in batch.texts]

    @property
    def events(self):
        return [event for batch in self.batches for event in batch]


@pytest.fixture
def spread():
    """Emits events into an inline memory and a queue before a sink of JSON; returns both."""
    memory, sink = MemoryBackend(), JsonSink()
    tracker = et.Tracker()
    leaf = {"delivery": {"mode": "queue"}, "backends": {"sink": sink}}
    tracker.configure({"backends": {"memory": memory, "queued": leaf}})

    def emit(name, data):
        memory.clear()
        sink.batches.clear()
        tracker.emit(name, data)
        assert tracker.flush(60)
        return memory.events, sink

    yield emit
    tracker.shutdown(30)


VALUES = st.recursive(
    st.one_of(
        st.text(max_size=4),
        st.sampled_from(['"\\\n\x7f\u2028', None, True, 2**70, 1.5, float("inf"), b"x", MOMENT]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(name=st.text(max_size=5), data=st.dictionaries(st.text(max_size=3), VALUES, max_size=3))
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_text_of_an_event_is_that_of_an_inline_sink(spread, name, data):
    events, sink = spread(name, data)
    assert sink.texts == [encode_json(event) for event in events]
    assert sink.events == [decode_json(text) for text in sink.texts]


def test_a_batch_reads_as_its_events(an_event):
    events = [an_event({"n": n, "at": MOMENT}, name_id="id") for n in range(4)]
    batch = JsonBatch(list(map(encode_text, events)))
    assert len(batch) == len(list(batch)) == 4
    assert with_parts(batch) is batch
    assert batch[-1] == decode_json(encode_json(events[3]))
    assert [event["data"]["n"] for event in batch[1:3]] == [1, 2]
    assert encode_table(batch) == encode_table(events)
    with pytest.raises(IndexError):
        batch[4]


def test_events_of_one_context_and_of_another_have_theirs(tracker_to):
    sink = JsonSink()
    tracker = tracker_to(sink)
    for user in 1, 2, 1:
        with tracker.context("user", {"user_id": user}):
            for n in range(3):
                tracker.emit("name", {"n": n})
            with tracker.context("page", {"path": "/\u2028"}):
                tracker.emit("name", {"n": 3})
                tracker.emit("name", {"n": 4})
    assert tracker.shutdown(60)
    pages = [{}, {}, {}, {"path": "/\u2028"}, {"path": "/\u2028"}]
    said = [{"user_id": user} | page for user in (1, 2, 1) for page in pages]
    assert [event["context"] for event in sink.events] == said
    assert sink.texts == [encode_json(event) for event in sink.events]


UNUSUAL = [
    {"id": 5},
    {"name": None},
    {"timestamp": "at noon, or a little later"},
    {"context": None},
]


@pytest.mark.parametrize("change", UNUSUAL, ids=str)
def test_an_event_with_an_unusual_part_has_all_its_parts(change, tracker_to):
    sink = JsonSink()
    tracker = tracker_to(sink)
    (leaf,) = tracker.root.leaves()
    leaf.deliver({"id": "i", "name": "n", "timestamp": MOMENT, "context": {}, "data": {}} | change)
    assert tracker.flush(60)
    assert {type(sink.events[0][key]) for key in ("id", "name")} == {str}
    assert type(sink.events[0]["context"]) is dict
    assert not encode_table(sink.batches[0])[1]


@pytest.mark.parametrize("order", ["json first", "json last"])
def test_beside_a_sink_of_json_another_keeps_its_types(order, configured):
    """The bytes are passed on, unless the next leaf would lose something."""
    memory, sink = MemoryBackend(), JsonSink()
    leaves = {
        name: {"delivery": {"mode": "queue"}, "backends": {"sink": backend}}
        for name, backend in {"json": sink, "native": memory}.items()
    }
    tracker = configured(
        {"backends": leaves if order == "json first" else dict(reversed(leaves.items()))}
    )
    tracker.emit("name", {"at": MOMENT, "n": 1})
    assert tracker.shutdown(60)
    assert memory.events[0]["data"] == {"at": MOMENT, "n": 1}
    assert sink.texts == [encode_json(memory.events[0])]


def test_an_invalid_event_is_a_dead_letter(tracker_to, tmp_path):
    sink = JsonSink()
    tracker = tracker_to(sink)
    tracker.emit("name", {"n": 1})
    (leaf,) = tracker.root.leaves()
    leaf.reject_invalid("a field is missing", hostile.EVENTS["name: none"]() | {"name": "odd"})
    assert tracker.flush(60)
    assert [event["data"] for event in sink.events] == [{"n": 1}]
    (letter,) = letters(tmp_path)
    assert (letter.reason, letter.event["name"]) == ("invalid", "odd")


def test_one_of_a_batch_that_is_rejected_is_a_dead_letter_in_json(tracker_to, tmp_path):
    class Picky(JsonSink):
        def send_batch(self, events, *, timeout):
            if any(b'"n":3' in text for text in events.texts):
                raise et.RejectedError("no")
            super().send_batch(events, timeout=timeout)

    sink = Picky()
    tracker = tracker_to(sink)
    tracker.emit_many(range(8))
    assert tracker.flush(60)
    assert sorted(event["data"]["n"] for event in sink.events) == [0, 1, 2, 4, 5, 6, 7]
    (letter,) = letters(tmp_path)
    assert letter.event["data"] == {"n": 3}
    assert letter.wire.startswith(b"{")


def test_the_records_of_event_types_are_saved(configured):
    saved = []
    sink = JsonSink()
    sink.save_event_type = lambda record: saved.append(record.name)
    tracker = configured({"backends": {"s": {"delivery": "queue", "backends": {"sink": sink}}}})
    tracker.register("typed", "A number was emitted.")
    tracker.emit("typed", {"n": 1})
    assert tracker.shutdown(60)
    assert "typed" in saved
    assert sink.events[0]["name_id"]


WHOLE = {"id": "i", "name": "n", "timestamp": MOMENT, "context": {}, "data": {"at": MOMENT}}


@pytest.mark.parametrize("takes_json", [True, False])
def test_a_spool_may_hold_either_form_and_damaged_records(takes_json, tracker_to, tmp_path):
    """An earlier configuration wrote them, or whoever may write into the directory."""
    waiting = [
        encode_msgpack(WHOLE | {"id": "native"}),
        encode_json(WHOLE | {"id": "text"}),
        b'{"id": "spaced",\n "name": "n"}',
        b'{"id": 5}',
        b'{"id": "cut',
        b"\xc1",
    ]
    sink = JsonSink() if takes_json else MemoryBackend()
    tracker = tracker_to({"sink": sink}, mode="spool")
    (leaf,) = tracker.root.leaves()
    spool = leaf.buffer.spool
    assert isinstance(spool, Spool)
    for wire in waiting:
        spool.append(wire)
    tracker.emit("last")
    assert tracker.flush(60)
    wait_until(lambda: len(sink.events) == 5)
    assert [event["id"] for event in sink.events][:3] == ["native", "text", "spaced"]
    assert all(set(WHOLE) <= event.keys() for event in sink.events)
    assert {letter.reason for letter in letters(tmp_path)} == {"rejected"}
    assert len(letters(tmp_path)) == 2
    if takes_json:
        assert not any(b"\n" in text for text in sink.texts)


def test_an_asynchronous_backend_may_take_json(tracker_to):
    taken = []

    class Sink:
        takes_json = True

        async def send_batch(self, events, *, timeout):  # noqa: ASYNC109  the protocol's
            taken.extend(events.texts)

    tracker = tracker_to(Sink())
    tracker.emit("name", {"n": 1})
    assert tracker.shutdown(60)
    assert b'"data":{"n":1}' in taken[0]


def test_a_backend_of_single_events_gets_events(tracker_to):
    taken = []
    tracker = tracker_to(SimpleNamespace(takes_json=True, send=taken.append))
    tracker.emit("name", {"at": MOMENT})
    assert tracker.shutdown(60)
    assert taken[0]["data"] == {"at": MOMENT}


def letters(directory):
    found = [DeadLetters(path, 0).letters() for path in paths_below(directory, "dead")]
    return [letter for each in found for letter in each]
