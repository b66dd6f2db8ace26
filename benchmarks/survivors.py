"""Programs that emit and end, run as `python -m benchmarks.survivors CLIENT END ADDRESS DIRECTORY`.

No client flushes. Each client is configured as its documentation begins, with its own defaults.
"""

# ruff: noqa: PLC0415  a program imports its own client and no other

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from benchmarks.collector import mark
from benchmarks.sample import DATA, NAME

__all__ = ["CLIENTS", "EVENTS", "SPOOLED"]

EVENTS: Final = 777
PATIENCE: Final = 30.0

Say = Callable[[str], object]


def _ours(address: str, directory: str, mode: str) -> Say:
    import eventtracking_core as et

    delivery = {"mode": mode, "directory": directory}
    sink = {"type": "segment", "write_key": "key", "host": address, "delivery": delivery}
    et.configure({"backends": {"sink": sink}})
    et.get_tracker().enter_context("user", {"user_id": "ada"})
    return lambda marked: et.emit(NAME, {**DATA, "mark": marked})


def _queue(address: str, directory: str) -> Say:
    return _ours(address, directory, "queue")


def _queue_drained(address: str, directory: str) -> Say:
    from eventtracking_core import drain_on_sigterm

    say = _ours(address, directory, "queue")
    drain_on_sigterm()
    return say


def _spool(address: str, directory: str) -> Say:
    return _ours(address, directory, "spool")


def _segment(address: str, _directory: str) -> Say:
    from segment.analytics.client import Client  # type: ignore[import-untyped]

    client = Client("key", host=address)
    return lambda marked: client.track("ada", NAME, {**DATA, "mark": marked})


def _posthog(address: str, _directory: str) -> Say:
    from posthog import Posthog

    client = Posthog("key", host=address)
    return lambda marked: client.capture(
        NAME, distinct_id="ada", properties={**DATA, "mark": marked}
    )


def _snowplow(address: str, _directory: str) -> Say:
    from snowplow_tracker.events.structured_event import StructuredEvent
    from snowplow_tracker.snowplow import Snowplow

    tracker = Snowplow.create_tracker(namespace="benchmarks", endpoint=address)
    return lambda marked: tracker.track(StructuredEvent("edx", NAME, label=marked))


def _snowplow_asynchronous(address: str, _directory: str) -> Say:
    from snowplow_tracker.emitters import AsyncEmitter
    from snowplow_tracker.events.structured_event import StructuredEvent
    from snowplow_tracker.tracker import Tracker

    tracker = Tracker(namespace="benchmarks", emitters=AsyncEmitter(address))
    return lambda marked: tracker.track(StructuredEvent("edx", NAME, label=marked))


def _opentelemetry(address: str, _directory: str) -> Say:
    from opentelemetry._logs import LogRecord, SeverityNumber
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

    provider = LoggerProvider()
    exporter = OTLPLogExporter(endpoint=f"{address}/v1/logs")
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = provider.get_logger("benchmarks")

    def say(marked: str) -> None:
        body: dict[str, Any] = {**DATA, "mark": marked}
        record = LogRecord(
            timestamp=time.time_ns(),
            severity_number=SeverityNumber.INFO,
            event_name=NAME,
            body=body,
        )
        logger.emit(record)

    return say


CLIENTS: Final[dict[str, Callable[[str, str], Say]]] = {
    "ours: queue": _queue,
    "ours: queue, drain_on_sigterm": _queue_drained,
    "ours: spool": _spool,
    "Segment": _segment,
    "PostHog": _posthog,
    "Snowplow: Emitter": _snowplow,
    "Snowplow: AsyncEmitter": _snowplow_asynchronous,
    "OpenTelemetry logs: batch, OTLP": _opentelemetry,
}

SPOOLED: Final = frozenset({"ours: spool"})
"""Who finds what is left when it is started again."""


def _exit(say: Say) -> None:
    _emit(say, "parent")


def _wait_for_a_signal(say: Say) -> None:
    _emit(say, "parent")
    os.write(sys.stdout.fileno(), b"ready\n")
    while True:
        signal.pause()


def _fork(say: Say) -> None:
    _emit(say, "parent")
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    else:
        _emit(say, "child")


def _restart(directory: str) -> None:
    """Stay until nothing is in the spool."""
    deadline = time.monotonic() + PATIENCE
    while any(Path(directory).rglob("spool/*/*.seg")) and time.monotonic() < deadline:
        time.sleep(0.01)


def _emit(say: Say, who: str) -> None:
    for number in range(EVENTS):
        say(mark(who, number))


ENDS: Final[dict[str, Callable[[Say], None]]] = {
    "exit": _exit,
    "SIGTERM": _wait_for_a_signal,
    "SIGKILL": _wait_for_a_signal,
    "fork": _fork,
}


def _main(client: str, end: str, address: str, directory: str) -> None:
    say = CLIENTS[client](address, directory)
    if end == "restart":
        _restart(directory)
    else:
        ENDS[end](say)


if __name__ == "__main__":
    _main(*sys.argv[1:])
