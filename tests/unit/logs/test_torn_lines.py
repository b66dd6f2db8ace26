"""A line that begins with half of another: its writer was killed, and a second one appended."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from eventtracking_core.encoding import encode_json
from eventtracking_core.events import new_id
from eventtracking_core.logs import Rejected, parse_line


def an_event():
    data = {"text": 'a "quoted" ü', "list": [1, {"a": 2}], "user": {"id": "x", "name": "Joe"}}
    time = datetime(2026, 9, 12, 12, 55, tzinfo=UTC)
    return {"id": new_id(), "name": "n", "timestamp": time, "context": {"c": {}}, "data": data}


def test_the_event_behind_a_half_line_is_read_wherever_that_was_cut():
    half, whole = encode_json(an_event()), an_event()
    for cut in range(1, len(half)):
        entries = parse_line(half[:cut] + encode_json(whole))
        events = [entry for entry in entries if not isinstance(entry, Rejected)]
        assert [(event["id"], event["data"]) for event in events] == [(whole["id"], whole["data"])]


@pytest.mark.parametrize("end", [b'{"id":"x"}', b'{"id":"x","name":"Joe"}'])
def test_an_object_within_a_line_that_was_cut_off_is_no_event(end):
    line = encode_json(an_event())
    cut = line[: line.index(b'"data":') + len(b'"data":')] + end
    assert [type(entry) for entry in parse_line(cut)] == [Rejected]
