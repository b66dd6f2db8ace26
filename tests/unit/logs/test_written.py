"""Lines as this package writes them are decoded quickly, and mean the same as any other line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventtracking_core.encoding import NormalBatch, encode_lines
from eventtracking_core.logs import LogFiles, Rejected, is_surely_normal, parse_line
from eventtracking_core.logs.written import decoder

EVENT = {
    "id": "01a22332-f6ee-7000-9232-7e76b4dc7246",
    "name": "edx.problem.check",
    "timestamp": "2026-09-01T00:00:00.5Z",
    "context": {"user_id": 7, "course": {"id": "c1", "org": "é"}},
    "data": {"n": 1, "part": {"a": {"b": 1}}, "text": "\u2028"},
}
ODD = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "x", "2026-09-01", "2026-09-01T00:00:00", "2026-09-01T02:00:00+02:00"])
    | st.text(max_size=3)
    | st.dictionaries(st.sampled_from(["a", "user_id", "n"]), st.integers(), max_size=2)
)
KEYS = [*EVENT, "name_id", "context_type_id", "event", "event_type", "time", "user_id", "_id"]
ASKED = ("context.user_id", "context.course.id", "data.n", "data.part.a", "data.part", "data.no.a")


def line(event, **options):
    return json.dumps(event, separators=(",", ":"), **options).encode()


def _fields(events):
    """Return what events hold, whatever the order of their fields; NaN is equal to itself."""
    return [sorted(map(repr, event.items())) for event in events]


@given(changes=st.dictionaries(st.sampled_from(KEYS), ODD, max_size=3), escape=st.booleans())
def test_a_line_means_the_same_however_it_is_decoded(changes, escape):
    content = line(EVENT | changes, ensure_ascii=escape)
    found = decoder()(content)
    assert found is None or _fields([found]) == _fields(parse_line(content))


@given(changes=st.dictionaries(st.sampled_from(KEYS), ODD, max_size=3))
def test_the_fields_that_were_asked_for_have_the_same_values(changes):
    content = line(EVENT | changes, ensure_ascii=False)
    found = decoder(ASKED)(content)
    if found is None:
        return
    [whole] = parse_line(content)
    assert found["timestamp"] == whole["timestamp"]
    assert found["context"].get("user_id") == whole["context"].get("user_id")
    assert found["data"].get("part") == whole["data"].get("part")
    assert found["context"].keys() <= {"user_id", "course"}


def test_what_was_not_asked_for_is_not_decoded():
    found = decoder(["context.course.id"])(line(EVENT))
    assert (found["context"], found["data"]) == ({"course": {"id": "c1"}}, {})


@pytest.mark.parametrize(
    "content",
    [
        line(EVENT | {"user_id": 7}),
        line(EVENT)[:-1],
        line(EVENT, ensure_ascii=False).replace("é".encode(), b"\xff"),
        line(EVENT | {"timestamp": "2026-09-01T00:00:00"}),
        b"Sep  1 host app: " + line(EVENT),
        b"",
    ],
)
def test_other_lines_are_left_to_the_parser(content):
    assert decoder()(content) is None
    assert decoder([])(content) is None


@pytest.mark.parametrize("field", ["name", "context.user_id", "data.part.a.b", "data.part"])
def test_counts_are_those_of_lines_that_others_wrote(tmp_path, field):
    events = [EVENT | {"id": f"e{n}", "context": {"user_id": n % 2}} for n in range(5)]
    ours, others = tmp_path / "ours.ndjson", tmp_path / "others.log"
    ours.write_bytes(b"".join(line(event) + b"\n" for event in events))
    others.write_bytes(b"".join(b"app: " + line(event) + b"\n" for event in events))
    asked = {"where": {"context.user_id": "1"}, "name": "edx.*"}
    for filters in ({}, asked):
        found = LogFiles([ours]).count_by(field, **filters)
        assert found == LogFiles([others]).count_by(field, **filters)
    assert LogFiles([ours]).count(**asked) == 2


@given(
    changes=st.dictionaries(st.sampled_from(KEYS), ODD, max_size=3),
    depth=st.sampled_from([0, 1, 60, 70]),
    text=st.sampled_from(["x", "x" * 20_000, "\x7f", '"$', "[", "\ud800"]),
    escape=st.booleans(),
)
def test_what_is_surely_normal_is_encoded_alike_without_a_look(changes, depth, text, escape):
    data = text
    for _ in range(depth):
        data = {"a": [data]}
    content = line(EVENT | {"data": {"a": data}} | changes, ensure_ascii=escape or "\ud800" in text)
    events = [event for event in parse_line(content) if not isinstance(event, Rejected)]
    if is_surely_normal(content):
        assert encode_lines(NormalBatch(events)) == encode_lines(events)


@pytest.mark.parametrize("text", [r"\u007b", '{"at": {"$date": 0}}', "[" * 65, " " * 20_000])
def test_a_line_that_may_hold_anything_is_not_surely_normal(text):
    assert not is_surely_normal(line(EVENT) + text.encode())
