"""Keys that an encoder writes as maps, such as frozen dataclasses, reach a sink from a queue."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass

import msgspec
import pytest

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.encoding import decode_msgpack, encode_msgpack
from eventtracking_core.testing.hostile import EVENTS


@dataclass(frozen=True)
class Seat:
    row: int = 1


class Place(msgspec.Struct, frozen=True):
    row: int = 1


class Hashed(dict):
    def __hash__(self):
        return 1


ODD = {
    "dataclass": Seat(),
    "struct": Place(),
    "dict": Hashed(row=1),
    "tuple of dataclasses": (1, Seat()),
    "frozenset of dataclasses": frozenset({Seat()}),
}


@pytest.mark.parametrize("mode", ["inline", "queue", "spool"])
@pytest.mark.parametrize("key", ODD)
def test_an_event_with_an_odd_key_is_delivered(tmp_path, mode, key):
    memory = MemoryBackend()
    options = {"directory": str(tmp_path)} if mode == "spool" else {}
    delivery = {} if mode == "inline" else {"delivery": {"mode": mode, **options}}
    tracker = et.Tracker()
    tracker.configure({"backends": {"a": {"backends": {"memory": memory}, **delivery}}})
    tracker.emit("seat.taken", {ODD[key]: "Ada", "nested": [{ODD[key]: 1}], "n": 1})
    assert tracker.flush(60)
    (event,) = memory.events
    assert event["data"]["n"] == 1
    assert "Ada" in event["data"].values()
    assert tracker.stats()["tree"]["backends"][0]["backends"][0]["delivered"] == 1
    tracker.shutdown(5)


def test_two_odd_keys_are_two():
    memory = MemoryBackend()
    tracker = et.Tracker()
    tracker.configure({"backends": {"a": {"backends": {"m": memory}, "delivery": "queue"}}})
    tracker.emit("seat.taken", {Seat(1): "Ada", Seat(2): "Bob"})
    assert tracker.flush(60)
    assert sorted(memory.events[0]["data"].values()) == ["Ada", "Bob"]
    tracker.shutdown(5)


# What is cut for its size is cut elsewhere if there is more of it.
@pytest.mark.parametrize(
    "case", [case for case in EVENTS if "100,000" not in case and "explode" not in case]
)
def test_what_stands_beside_an_odd_key_is_as_it_would_be_without(case):
    event = EVENTS[case]()
    odd = {**event, "context": {**event["context"], "odd": {Seat(): 1}}}
    decoded, expected = decode_msgpack(encode_msgpack(odd)), decode_msgpack(encode_msgpack(event))
    assert list(decoded["context"].pop("odd").values()) == [1]
    assert repr(decoded) == repr(expected)


def test_damaged_bytes_with_an_odd_key_are_a_value_error():
    chance = random.Random(19)
    whole = encode_msgpack(
        {**EVENTS["value: tuple"](), "data": {Seat(): [1, "x" * 300, {Seat(): 2}]}}
    )
    for _ in range(2000):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        with suppress(ValueError):
            decode_msgpack(bytes(damaged[: chance.randint(1, len(damaged))]))
