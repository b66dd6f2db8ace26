"""The text form and the wire form of any event."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest

from eventtracking_core.encoding import (
    decode_json,
    decode_msgpack,
    encode_json,
    encode_msgpack,
    normalize,
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
