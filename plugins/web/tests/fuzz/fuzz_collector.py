"""Feed the endpoint for browsers with bodies that a fuzzer makes from what it covers.

`tox -e fuzz` runs it for three minutes, and `tox -e fuzz -- -max_total_time=600` for ten.
"""

from __future__ import annotations

import gzip
import json
import logging
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import atheris

with atheris.instrument_imports(include=["eventtracking_web", "eventtracking_core"]):
    import eventtracking_core as et
    from eventtracking_core.backends.memory import MemoryBackend
    from eventtracking_core.encoding import decode_msgpack, encode_json, encode_msgpack
    from eventtracking_web import collector
    from eventtracking_web.collecting.exchange import Exchange

ORIGIN = "https://shop.example.org"
STATUSES = {200, 400, 403, 413, 415}
SERVER_ONLY = {"user_id": 7, "ip": "203.0.113.0", "origin": "client"}
SEEDS = (
    b'\0\x40{"key":"public","events":[{"id":"1","name":"a"}]}',
    (
        b'\0\x40{"key":"public","client":"c","sent_at":"2026-11-28T12:00:00Z","events":[{"id":'
        b'"01997c9e-0000-7000-8000-000000000001","name":"a.b","timestamp":"2026-11-28T12:00:00Z",'
        b'"data":{"n":[1,-2.5e3,null,true,{"x":"\\u2028"}]},"context":{"page":"/a","user_id":1}}]}'
    ),
    b'\1\x40{"key":"public","events":[]}',
    b"\4" + bytes(range(256)) * 2,
    b'\2\x40{"id":"1","name":"a","data":{"n":18446744073709551616},"context":{"origin":"server"}}',
)


TEXTS = ["", "page", "user_id", "origin", "x", "01997c9e-0000-7000-8000-000000000001", "a.b"]
MOMENTS = [
    *("2026-11-28T12:00:00Z", "2026-11-28", "0001-01-01T00:00:00+14:00"),
    *("9999-12-31T23:59:59-23:59", "20261128T120000", "1", ""),
]


class Request:
    """A request that gets past everything but its body."""

    method = "POST"
    address = "203.0.113.9"
    is_described = False

    def __init__(self, encoding: str) -> None:
        self._headers = {"origin": ORIGIN, "content-type": "text/plain"}
        self._headers["content-encoding"] = encoding

    def header(self, name: str) -> str | None:
        return self._headers.get(name)

    def user(self) -> int:
        return 7


MEMORY = MemoryBackend()
TRACKER = et.Tracker({"memory": MEMORY})
ENDPOINT = collector(
    TRACKER, keys={"public": []}, origins=[ORIGIN], context=["page", "x"], rate=1e9, burst=10**9
)


def answered(data: bytes) -> None:
    """Check the answer to a body: the first byte says its form, the second how it is cut."""
    form, size, body = data[:1], data[1:2], data[2:]
    encoding = ""
    if form == b"\1":
        body, encoding = gzip.compress(body, 1), "gzip"
    elif form == b"\2":
        body = b'{"key":"public","events":[%s]}' % body
    elif form == b"\3":
        encoding = "gzip"  # of something that is none
    elif form == b"\4":
        body = json.dumps(_batch(atheris.FuzzedDataProvider(body))).encode()
    MEMORY.clear()
    exchange = Exchange(ENDPOINT.policy, Request(encoding), "")  # type: ignore[arg-type]
    step = max(1, size[0] if size else 1)
    for start in range(0, len(body), step):
        if exchange.feed(body[start : start + step]) is not None:
            break
    answer = exchange.end()
    assert answer.status in STATUSES, answer
    said = json.loads(answer.body)
    stored = MEMORY.events
    if answer.status != 200:
        assert not stored
        return
    assert said["accepted"] == len(stored)
    indices = [each["index"] for each in said["rejected"]]
    assert indices == sorted(set(indices))
    for event in stored:
        _check(event)


def _batch(source: atheris.FuzzedDataProvider) -> Any:
    names = ("id", "name", "timestamp", "data", "context")
    events = [
        {name: _value(source, name, 4) for name in names if source.ConsumeIntInRange(0, 9)}
        for _ in range(source.ConsumeIntInRange(1, 3))
    ]
    rest = {name: _value(source, name, 1) for name in ("client", "sent_at") if source.ConsumeBool()}
    return {"key": "public", "events": events, **rest}


def _value(source: atheris.FuzzedDataProvider, name: str, depth: int) -> Any:
    if source.ConsumeIntInRange(0, 9):  # most often of the right kind
        if name in {"data", "context"}:
            return _object(source, depth)
        if name in {"timestamp", "sent_at"}:
            return source.PickValueInList(MOMENTS) + source.ConsumeUnicode(2)
        if name in {"id", "name", "client"}:
            return source.PickValueInList(TEXTS) + source.ConsumeUnicode(70)
    return _any(source, depth)


def _any(source: atheris.FuzzedDataProvider, depth: int) -> Any:
    if depth and source.ConsumeBool():
        if source.ConsumeBool():
            return _object(source, depth)
        return [_any(source, depth - 1) for _ in range(source.ConsumeIntInRange(0, 5))]
    scalars = [
        lambda: source.ConsumeUnicode(40),
        lambda: source.ConsumeInt(source.ConsumeIntInRange(1, 20)),
        source.ConsumeFloat,
        lambda: source.PickValueInList([None, True, False, "\ud800", 10**25, 1e308]),
        lambda: source.ConsumeUnicodeNoSurrogates(300),
    ]
    return scalars[source.ConsumeIntInRange(0, len(scalars) - 1)]()


def _object(source: atheris.FuzzedDataProvider, depth: int) -> dict[str, Any]:
    return {
        source.PickValueInList(TEXTS) + source.ConsumeUnicode(3): _any(source, depth - 1)
        for _ in range(source.ConsumeIntInRange(0, 4))
    }


def _check(event: Any) -> None:
    assert str(UUID(event["id"])) == event["id"]
    assert UUID(event["id"]).variant == "specified in RFC 4122"
    context = event["context"]
    assert context.items() >= SERVER_ONLY.items()
    assert context.keys() <= {*SERVER_ONLY, "received_at", "page", "x"}
    text = encode_json(event)
    assert json.loads(text, parse_constant=_not_json)["id"] == event["id"]
    assert decode_msgpack(encode_msgpack(event))["name"] == event["name"]


def _not_json(text: str) -> None:
    raise AssertionError(text)


def main() -> None:
    """Run the fuzzer."""
    logging.disable()
    with TemporaryDirectory(prefix="fuzz-") as corpus:
        for number, seed in enumerate(SEEDS):
            Path(corpus, f"seed-{number}").write_bytes(seed)
        words = Path(__file__).with_name("words.dict")
        atheris.Setup([*sys.argv, f"-dict={words}", "-timeout=5", corpus], answered)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
