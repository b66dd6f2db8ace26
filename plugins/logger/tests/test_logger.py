"""Events as log records."""

from __future__ import annotations

import json
import logging
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventtracking_core import ConfigurationError, Tracker
from eventtracking_core.encoding import decode_json
from eventtracking_logger import DateTimeJSONEncoder, LoggerBackend
from eventtracking_logger.cutting import cut


def an_event(**data):
    return {
        "id": "01997c9e-0000-7000-8000-000000000001",
        "name": "edx.problem.check",
        "timestamp": datetime(2026, 9, 12, 12, 55, 0, 123450, UTC),
        "context": {"user_id": 10938},
        "data": data,
    }


@pytest.fixture
def tracker():
    tracker = Tracker()
    tracker.configure({"backends": {"log": {"type": "logger", "name": "tracking"}}})
    yield tracker
    tracker.shutdown()


def test_an_event_is_one_record_of_json_at_info(tracker, caplog):
    caplog.set_level(logging.INFO, "tracking")
    with tracker.context("request", {"user_id": 1}):
        event_id = tracker.emit("a.b", {"n": 1, "percent": "100%s"})
    (record,) = caplog.records
    line = decode_json(record.getMessage())
    assert (line["id"], line["context"], line["data"]) == (
        event_id,
        {"user_id": 1},
        {"n": 1, "percent": "100%s"},
    )
    assert (record.name, record.levelname) == ("tracking", "INFO")
    assert (record.event_id, record.event_name) == (event_id, "a.b")


def test_the_level_may_be_chosen_by_name_or_number(caplog):
    caplog.set_level(logging.DEBUG, "chosen")
    LoggerBackend("chosen", level="debug").send(an_event())
    LoggerBackend("chosen", level=35).send(an_event())
    assert [record.levelno for record in caplog.records] == [logging.DEBUG, 35]


def test_an_event_that_nobody_would_see_is_counted_as_such(tracker, caplog):
    caplog.set_level(logging.ERROR, "tracking")
    tracker.emit("a.b")
    (leaf,) = tracker.stats()["tree"]["backends"]
    assert (leaf["delivered"], leaf["dropped"]) == (0, {"no_backend": 1})


def test_a_handler_that_emits_ends(tracker, caplog):
    caplog.set_level(logging.INFO, "tracking")

    class Emitting(logging.Handler):
        def emit(self, record):
            tracker.emit("handler.called")

    handler = Emitting()
    logger = logging.getLogger("tracking")
    logger.addHandler(handler)
    try:
        tracker.emit("a.b")
    finally:
        logger.removeHandler(handler)
    assert [record.event_name for record in caplog.records] == ["a.b"]


@pytest.mark.parametrize("text", ["a\nb", "\x1b[31mred", "\u2028", "\u202egnp.exe", "\x7f\x9b"])
def test_no_line_acts_on_a_terminal_or_begins_another(text, tracker, caplog):
    caplog.set_level(logging.INFO, "tracking")
    tracker.emit("a.b", {"text": text})
    message = caplog.records[0].getMessage()
    assert message.isprintable()
    assert json.loads(message)["data"]["text"] == text


def test_a_long_event_is_cut_field_by_field_and_warned_of(caplog):
    backend = LoggerBackend("tracking", max_event_size=4096)
    with caplog.at_level(logging.INFO):
        backend.send(an_event(essay="x" * 100_000, grade=1.5))
    (line,) = [record for record in caplog.records if record.name == "tracking"]
    event = decode_json(line.getMessage())
    assert len(line.getMessage()) <= 4096
    assert event["data"]["essay"].endswith("<cut: 100000 characters>")
    assert len(event["data"]["essay"]) > 3000
    assert event["data"]["grade"] == 1.5
    assert event["context"] == {"user_id": 10938}
    assert any("longest fields are cut" in record.getMessage() for record in caplog.records)


def test_of_more_fields_and_items_than_fit_the_first_are_kept():
    fields = {f"field_{number}": number for number in range(20_000)}
    for data in (fields, {"numbers": list(range(20_000))}):
        event = decode_json(cut(an_event(**data), 4096))["data"]
        assert 100 < len(event.get("numbers", event)) < 2000
        assert "<cut" in str(event)


@pytest.mark.parametrize("character", ["\u2028", "\x7f", "\0", '"', "é", "😀"])
def test_what_is_escaped_is_cut_little_more_than_it_must_be(character):
    text = cut(an_event(text=character * 9000), 4096)
    assert 3500 < len(text) <= 4096
    assert decode_json(text)["data"]["text"].startswith(character)


@given(
    st.dictionaries(
        st.text(max_size=30),
        st.one_of(st.text(max_size=9000), st.lists(st.integers(), max_size=900), st.integers()),
        max_size=60,
    )
)
def test_whatever_is_cut_is_an_event_that_fits(data):
    text = cut(an_event() | {"data": data}, 4096)
    assert len(text) <= 4096
    event = decode_json(text)
    assert (event["id"], event["name"]) == (an_event()["id"], an_event()["name"])


@pytest.mark.parametrize(
    "options",
    [
        {"name": ""},
        {"name": "root"},
        {"name": "a", "level": "LOUD"},
        {"name": "a", "max_event_size": 10},
        {},
    ],
)
def test_options_that_cannot_be_used_are_problems(options):
    with pytest.raises(ConfigurationError):
        Tracker().configure({"backends": {"log": {"type": "logger", **options}}})


def test_the_size_of_event_trackings_logger_may_have_no_limit():
    engine = "eventtracking.backends.logger.LoggerBackend"
    node = {"ENGINE": engine, "OPTIONS": {"name": "tracking", "max_event_size": None}}
    tracker = Tracker()

    tracker.configure({"backends": {"a": node}})

    assert isinstance(tracker.get_backend("a"), LoggerBackend)


def test_the_encoder_writes_times_in_utc_and_dates():
    times = [
        datetime(2020, 1, 1),  # noqa: DTZ001  taken as UTC
        datetime(2020, 1, 1, tzinfo=timezone(timedelta(hours=2))),
        date(2020, 1, 2),
    ]
    assert json.dumps(times, cls=DateTimeJSONEncoder) == (
        '["2020-01-01T00:00:00+00:00", "2019-12-31T22:00:00+00:00", "2020-01-02"]'
    )
    with pytest.raises(TypeError):
        json.dumps(object(), cls=DateTimeJSONEncoder)
