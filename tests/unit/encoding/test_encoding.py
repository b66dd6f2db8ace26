"""The text form and the wire form of any event."""

from __future__ import annotations

import json
import os
import sys
from collections import OrderedDict, UserString, defaultdict, deque, namedtuple
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventtracking_core.encoding import (
    decode_json,
    decode_msgpack,
    encode_json,
    encode_msgpack,
    normal_from_msgpack,
    normalize,
    normalize_event,
)


def in_a_child(work):
    """Run something in a forked child; return its exit status and its peak memory in MiB."""
    child = os.fork()
    if not child:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    _, status, usage = os.wait4(child, 0)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return os.waitstatus_to_exitcode(status), usage.ru_maxrss // unit


@pytest.mark.parametrize("encode", [encode_json, encode_msgpack])
@pytest.mark.parametrize("kind", ["lying", "text", "number", "unprintable"])
@pytest.mark.parametrize("place", ["key", "value"])
def test_encoding_never_raises(encode, kind, place, hostile, an_event):
    thing = getattr(hostile, kind)

    encoded = encode(an_event({thing: 1} if place == "key" else {"field": thing}))

    assert isinstance(encoded, bytes)


def test_the_type_of_an_object_is_named_in_text_that_can_be_encoded(hostile):
    normalize(hostile.unprintable).encode()


@pytest.mark.native
@pytest.mark.parametrize("encode", [encode_json, encode_msgpack])
def test_a_text_that_is_shared_a_thousand_times_takes_no_memory_a_thousand_times(encode, an_event):
    import resource

    event = an_event({"texts": ["x" * 1_000_000] * 900})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 2**10

    status, peak = in_a_child(lambda: encode(event))

    assert status == 0
    assert peak < before + 100


@pytest.mark.native
@pytest.mark.parametrize("encode", [encode_json, encode_msgpack])
def test_a_list_that_is_shared_a_thousand_times_is_cut_at_the_budget(encode, an_event):
    import resource

    event = an_event({"lists": [[0] * 100_000] * 900})
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime

    status, _ = in_a_child(lambda: encode(event))

    assert status == 0
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 1


@pytest.mark.native
def test_both_forms_agree_on_a_time_without_an_offset(an_event, no_offset, far_from_utc):
    event = an_event({"at": datetime(2026, 1, 1, tzinfo=no_offset)})

    assert json.loads(encode_json(event))["data"]["at"] == "2026-01-01T00:00:00Z"
    assert decode_msgpack(encode_msgpack(event))["data"]["at"] == datetime(2026, 1, 1, tzinfo=UTC)


def test_times_are_written_in_utc(an_event):
    east = timezone(timedelta(hours=5, minutes=53, seconds=28))
    event = an_event({"at": datetime(2026, 1, 1, tzinfo=east)})

    assert json.loads(encode_json(event))["data"]["at"] == "2025-12-31T18:06:32Z"


@pytest.mark.parametrize("text", [b"{", b"[]", b"\xff", b'{"a":' * 100_000])
def test_a_line_that_is_no_event_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"."):
        decode_json(text)


@dataclass
class Record:
    a: object
    b: object


Pair = namedtuple("Pair", ["a", "b"])  # noqa: PYI024  what applications have


class Kind(Enum):
    TEXT = "text"
    PAIR = (1, 2)


NAMES = st.text("aü.", min_size=1, max_size=3)
SCALARS = st.one_of(
    st.sampled_from([None, True, 7, 2**70, 1.5, Kind.TEXT, Kind.PAIR, UserString("x")]),
    st.text(max_size=5),
    st.datetimes(),
    st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=53, seconds=28))]).flatmap(
        lambda zone: st.datetimes(timezones=st.just(zone))
    ),
    st.dates(),
    st.uuids(),
)
UNUSUAL = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).flatmap(lambda items: st.sampled_from([items, tuple(items)])),
        st.dictionaries(NAMES, inner, max_size=4),
        st.dictionaries(NAMES, inner, max_size=4).map(OrderedDict),
        st.dictionaries(NAMES, inner, max_size=4).map(lambda items: defaultdict(list, items)),
        st.lists(inner, max_size=4).map(deque),
        st.builds(Pair, inner, inner),
        st.sets(st.integers(0, 9)),
        st.frozensets(st.text("ab", max_size=1)),
        st.builds(Record, inner, inner),
    ),
    max_leaves=20,
)


@pytest.mark.slow
@given(
    values=st.dictionaries(NAMES, UNUSUAL, max_size=5),
    many=UNUSUAL.flatmap(
        lambda value: st.sampled_from([[value, {"value": value}] * 20, [value] * 40])
    ),
    number=st.sampled_from([0, 60]),
)
def test_a_value_is_written_alike_whatever_stands_beside_it(values, many, number):
    """An event goes to an encoder in C with a few values converted, or is normalized as a whole."""
    time = datetime(2026, 9, 12, tzinfo=UTC)
    data = {f"field{n}": n for n in range(number)} | values | {"many": many}
    event = {"id": "x", "name": "n", "timestamp": time, "context": {}, "data": data}
    normal = normalize_event(event)
    assert normal_from_msgpack(encode_msgpack(event)) == normal
    with_times = json.loads(encode_json(normalize_event(event, big=int)))
    assert json.loads(encode_json(event)) == with_times


@pytest.mark.parametrize("lacking", ["id", "name", "timestamp", "context", "data"])
@pytest.mark.parametrize("instead", [None, 5, []])
def test_an_event_of_another_program_gets_the_parts_that_it_lacks(lacking, instead, an_event):
    wire = msgspec.msgpack.encode({**an_event(), lacking: instead})
    event = normal_from_msgpack(wire)
    kinds = {"id": str, "name": str, "timestamp": datetime, "context": dict, "data": dict}
    assert {part: type(event[part]) for part in kinds} == kinds
    assert decode_json(encode_json(event)) == event


@pytest.mark.native
@pytest.mark.parametrize("encode", [encode_json, encode_msgpack])
def test_records_that_share_their_parts_are_cut_at_the_budget(encode, an_event):
    record: object = "x" * 1000
    for _ in range(60):
        record = Record(record, record)
    status, _ = in_a_child(lambda: encode(an_event({"record": record})))
    assert status == 0


@pytest.mark.parametrize("encode", [encode_json, encode_msgpack])
def test_a_record_below_many_levels_is_no_deeper_than_an_event_may_be(encode, an_event):
    value: object = 1
    for _ in range(40):
        value = Record(value, None)
    for _ in range(40):
        value = {"n": value}
    text = encode_json(decode_msgpack(encode_msgpack(an_event(value))))
    assert b"<cut: too deep>" in (
        text if encode is encode_msgpack else encode_json(an_event(value))
    )


def test_the_dicts_of_objects_are_looked_into(an_event):
    class Row:
        def __init__(self):
            self.at = datetime(2026, 9, 12)  # noqa: DTZ001  the case

    objects = [Row() for _ in range(40)]  # their dicts hold no values of their own while they live
    rows = [vars(each) for each in objects]

    encoded = json.loads(encode_json(an_event({"rows": rows})))

    assert encoded["data"]["rows"] == [{"at": "2026-09-12T00:00:00Z"}] * 40


@pytest.mark.parametrize("depth", range(61, 67))
@pytest.mark.parametrize("wide", [0, 40])
def test_wide_lists_are_cut_at_the_depth_of_narrow_ones(depth, wide):
    value: object = 1
    for _ in range(depth):
        value = [value, *range(wide)]
    time = datetime(2026, 9, 12, tzinfo=UTC)
    event = {"id": "x", "name": "n", "timestamp": time, "context": {}, "data": {"value": value}}

    normal = normalize_event(event)

    assert decode_msgpack(encode_msgpack(event)) == normal
    assert (b"<cut: too deep>" in encode_json(event)) is (depth > 63)


@pytest.mark.native
@pytest.mark.parametrize("encode", [encode_json, encode_msgpack])
@pytest.mark.parametrize("kind", [list, OrderedDict, Pair])
def test_containers_of_other_types_that_share_their_parts_are_cut_at_the_budget(
    encode, kind, an_event
):
    import resource

    make = {
        list: lambda part: [part] * 40,
        OrderedDict: lambda part: OrderedDict((str(n), part) for n in range(40)),
        Pair: lambda part: [Pair(part, part)] * 40,
    }[kind]
    part: object = "x" * 100
    for _ in range(30):
        part = make(part)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 2**10
    status, peak = in_a_child(lambda: encode(an_event({"part": part})))
    assert status == 0
    assert peak < before + 100
