"""Hostile requests, over raw sockets to real servers: each is refused, and nothing is accepted."""

from __future__ import annotations

import gzip
import json
import os
import socket
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest

SERVERS = {
    "uvicorn": ("uvicorn", "collecting:asgi", "--port", "PORT", "--log-level", "warning"),
    "gunicorn": ("gunicorn", "collecting:wsgi", "-b", "127.0.0.1:PORT", "-w", "1"),
}
EVENT = {"id": "1", "name": "shop.page.viewed"}
GOOD = {"key": "public", "client": "c", "events": [EVENT]}
CPU = 0.05
"""Seconds of the processor that a request may take."""

MEMORY = 16 * 2**20
"""Bytes by which the server may grow."""


def a_request(body=b"", method="POST", path="/", **headers):
    """Return a request; headers that are None are left out."""
    headers = {
        "host": "localhost",
        "origin": "https://shop.example.org",
        "content-type": "text/plain",
        "content-length": str(len(body)),
        "connection": "close",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode() + body


def of(value, **headers):
    return a_request(json.dumps(value).encode(), **headers)


def chunked(body):
    parts = [body[start : start + 8192] for start in range(0, len(body), 8192)]
    text = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return a_request(content_length=None, transfer_encoding="chunked") + text + b"0\r\n\r\n"


def zipped(body):
    return a_request(body, content_encoding="gzip")


WHOLE = gzip.compress(json.dumps(GOOD).encode())


@cache
def hostile_requests():
    """Return requests, and the status of their answers."""
    return {
        "GET": (a_request(method="GET"), 405),
        "PUT": (of(GOOD, method="PUT"), 405),
        "DELETE": (a_request(method="DELETE"), 405),
        "no origin": (of(GOOD, origin=None), 403),
        "another origin": (of(GOOD, origin="https://evil.example.org"), 403),
        "a sandboxed page": (of(GOOD, origin="null"), 403),
        "a preflight of another origin": (a_request(method="OPTIONS", origin="https://evil"), 403),
        "a key in the address": (of(GOOD, path="/?key=public"), 400),
        "a form": (of(GOOD, content_type="application/x-www-form-urlencoded"), 415),
        "no type": (of(GOOD, content_type=None), 415),
        "another compression": (of(GOOD, content_encoding="br"), 415),
        "a length that is too large": (a_request(content_length=str(2**18 + 1)), 413),
        "a length of terabytes": (a_request(content_length="9" * 15), 413),
        "too many chunks": (chunked(b" " * (2**18 + 1)), 413),
        "a bomb": (zipped(gzip.compress(bytes(100 * 2**20))), 413),
        "a bomb in chunks": (zipped(gzip.compress(bytes(2**20 + 1))), 413),
        "a gzip stream that is cut off": (zipped(WHOLE[:-9]), 400),
        "something after a gzip stream": (zipped(WHOLE + b"x"), 400),
        "two gzip streams": (zipped(WHOLE + WHOLE), 400),
        "no gzip stream": (zipped(b"{}"), 400),
        "nothing": (a_request(), 400),
        "no JSON": (a_request(b"key=public"), 400),
        "a list": (of([GOOD]), 400),
        "no events": (of({"key": "public"}), 400),
        "events that are no list": (of(GOOD | {"events": EVENT}), 400),
        "lists in lists": (a_request(b"[" * 200_000), 400),
        "objects in objects": (a_request(b'{"key":' * 30_000), 400),
        "events that are deep": (a_request(b'{"key":"public","events":[' + b"[" * 200_000), 400),
        "no UTF-8": (a_request(b'{"key":"\xff","events":[]}'), 400),
        "half a surrogate": (a_request(b'{"key":"\\ud800","events":[]}'), 400),
        "a client that is long": (of(GOOD | {"client": "x" * 65}), 400),
        "an unknown key": (of(GOOD | {"key": "publi"}), 403),
        "a longer key": (of(GOOD | {"key": "public\0"}), 403),
        "too many events": (of(GOOD | {"events": [EVENT] * 501}), 413),
    }


def ask(port, request):
    """Return the status of the answer, which may come before the request has been sent."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        with suppress(ConnectionError):
            connection.sendall(request)
        answer = b""
        while b"\r\n" not in answer:
            part = connection.recv(4096)
            assert part, "it was not answered"
            answer += part
        return int(answer.split()[1])


def usage(pid):
    """Return the seconds of the processor and the largest size of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    seconds, size = 0.0, 0
    for process in (pid, *children):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        status = Path(f"/proc/{process}/status").read_text()
        size += int(status.partition("VmHWM:")[2].split()[0]) * 1024
    return seconds, size


@pytest.mark.once
@pytest.mark.parametrize("name", SERVERS)
def test_hostile_requests_are_refused_cheaply_and_none_of_their_events_is_accepted(serve, name):
    server = serve(*SERVERS[name])
    assert ask(server.port, of(GOOD)) == 200
    seconds, size = usage(server.process.pid)
    hostile = hostile_requests()
    found = {what: ask(server.port, request) for what, (request, _) in hostile.items()}
    assert found == {what: status for what, (_, status) in hostile.items()}
    seconds_after, size_after = usage(server.process.pid)
    assert seconds_after - seconds < CPU * len(hostile)
    assert size_after - size < MEMORY
    assert ask(server.port, of(GOOD)) == 200
    assert ask(server.port, zipped(WHOLE)) == 200
    server.end()
    assert [event["name"] for event in server.stored()] == ["shop.page.viewed"], (
        "sent again, stored once"
    )
    assert "shop.page.viewed" not in server.log


def test_a_body_that_does_not_arrive_is_not_waited_for(serve):
    server = serve(*SERVERS["uvicorn"])
    assert ask(server.port, of(GOOD)[:-5]) == 408
    assert ask(server.port, of(GOOD)) == 200
    server.end()
    assert len(server.stored()) == 1
