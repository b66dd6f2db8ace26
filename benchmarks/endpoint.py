"""The endpoint for browsers beside a bare one of Starlette that only parses the JSON.

Each serves alone on one core, under `wrk`, which sends batches of ten events of about 700 bytes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any, Final
from uuid import UUID

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import eventtracking_core as et
from benchmarks.sample import DATA
from eventtracking_web import Collector, collector

ORIGIN: Final = "https://shop.example.org"
EVENTS: Final = 10
ROUNDS: Final = 5
SECONDS: Final = 3
STARTS_WITHIN: Final = 30.0
_FIRST_ID: Final = 0x01997C9E_0000_7000_8000_000000000000
_SCRIPT: Final = """\
wrk.method = "POST"
wrk.body = io.open("batch.json"):read("*a")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Origin"] = "https://shop.example.org"
"""


def bare() -> Starlette:
    """Return an application that parses JSON."""

    async def parse(request: Request) -> Response:
        await request.json()
        return JSONResponse({"accepted": EVENTS, "rejected": []})

    return Starlette(routes=[Route("/", parse, methods=["POST"])])


def queue() -> Collector:
    """Return the endpoint with a queue before a backend that keeps nothing."""
    return _ours("queue")


def spool() -> Collector:
    """Return the endpoint with a spool before a backend that keeps nothing."""
    return _ours("spool")


def _ours(mode: str) -> Collector:
    tracker = et.Tracker()
    tracker.configure({"backends": {"null": {"type": "null", "delivery": mode}}})
    keys = {"public": ["edx."]}
    return collector(tracker, keys=keys, origins=[ORIGIN], rate=1e9, burst=10**9)


def _batch() -> Mapping[str, Any]:
    now = datetime.now(UTC).isoformat()
    context = {"page": f"{ORIGIN}/courses/CS101/unit/4", "title": "Unit 4: loops and conditions"}
    more = {"answer": "the quick brown fox jumps over the lazy dog " * 6}
    event = {"name": "edx.problem.checked", "timestamp": now, "context": context}
    events = [
        {"id": str(UUID(int=_FIRST_ID + number)), **event, "data": {**DATA, **more}}
        for number in range(EVENTS)
    ]
    return {"key": "public", "client": "a-browser", "sent_at": now, "events": events}


@contextmanager
def _served(name: str, directory: Path) -> Iterator[tuple[str, int]]:
    """Serve an application of this module on one core; yield its address and process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "--factory", f"benchmarks.endpoint:{name}"]
    options = ["--port", str(port), "--log-level", "error", "--no-access-log"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen([*command, *options], cwd=directory, env=environment) as process:
        try:
            os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
            _wait(port)
            yield f"http://127.0.0.1:{port}/", process.pid
        finally:
            process.terminate()


def _wait(port: int) -> None:
    deadline = monotonic() + STARTS_WITHIN
    while monotonic() < deadline:
        with closing(socket.socket()) as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        sleep(0.05)
    raise TimeoutError("the server did not start")


def _load(directory: Path, address: str, seconds: int) -> tuple[float, int]:
    """Return the requests a second and in all that were answered."""
    command = ["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", "wrk.lua", address]
    ran = subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True)
    if "Non-2xx" in ran.stdout:
        raise RuntimeError(ran.stdout)
    found = re.search(r"(\d+) requests in.*Requests/sec: +([\d.]+)", ran.stdout, re.DOTALL)
    if found is None:
        raise RuntimeError(ran.stdout)
    return float(found[2]), int(found[1])


def _processor_time(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _measured(name: str, directory: Path) -> tuple[float, float]:
    """Return requests a second, and microseconds of the processor for each."""
    with _served(name, directory) as (address, pid):
        _load(directory, address, 1)
        before = _processor_time(pid)
        rate, number = _load(directory, address, SECONDS)
        return rate, (_processor_time(pid) - before) / number * 1e6


def main() -> None:
    """Print the table."""
    if shutil.which("wrk") is None:
        sys.exit("this needs wrk: apt-get install wrk")
    names = ("bare", "queue", "spool")
    with TemporaryDirectory(prefix="endpoint-") as name:
        directory = Path(name)
        (directory / "wrk.lua").write_text(_SCRIPT)
        (directory / "batch.json").write_text(json.dumps(_batch()))
        rounds = [{each: _measured(each, directory) for each in names} for _ in range(ROUNDS)]
    print(f"{EVENTS} events a request, {(len(json.dumps(_batch()))):,} bytes; {ROUNDS} rounds")
    print(f"{'':8}{'requests/s':>12}{'of bare':>8}{'CPU µs/request':>16}{'of bare':>8}")
    for each in names:
        rates, costs = zip(*(found[each] for found in rounds), strict=True)
        faster = median(found[each][0] / found["bare"][0] for found in rounds)
        cheaper = median(found["bare"][1] / found[each][1] for found in rounds)
        print(f"{each:8}{median(rates):12,.0f}{faster:8.2f}{median(costs):16.0f}{cheaper:8.2f}")


if __name__ == "__main__":
    main()
