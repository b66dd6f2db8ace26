"""The peers: event-tracking as the index has it, stdlib logging, structlog, OpenTelemetry logs."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from time import time_ns
from typing import Any

import orjson
import structlog
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor, ReadableLogRecord
from opentelemetry.sdk._logs.export import (
    BatchLogRecordProcessor,
    LogRecordExporter,
    LogRecordExportResult,
    SimpleLogRecordProcessor,
)

from benchmarks.contestant import Contestant
from benchmarks.sample import C1, C2, CONTEXT, DATA, NAME
from benchmarks.sinks import CountingBackend, Lines
from eventtracking.backends.logger import LoggerBackend  # type: ignore[import-untyped]
from eventtracking.backends.routing import RoutingBackend  # type: ignore[import-untyped]
from eventtracking.tracker import Tracker  # type: ignore[import-untyped]

__all__ = ["peers"]

EVENT = {"NAME": NAME, "DATA": DATA}


def peers(directory: Path, stack: ExitStack) -> list[Contestant]:
    """Return all of them."""
    return [
        *_event_tracking(directory, stack),
        _stdlib_logging(directory, stack),
        _structlog(directory, stack),
        *_opentelemetry(stack),
    ]


def _event_tracking(directory: Path, stack: ExitStack) -> list[Contestant]:
    flat, nested = CountingBackend(), CountingBackend()
    lines = Lines(directory / "event-tracking.log")
    _logger("benchmarks.event_tracking", lines, logging.Formatter("%(message)s"), stack)
    sinks: list[tuple[str, Any, Any]] = [
        ("null", flat, flat.delivered),
        ("three routers", _router(_router(_router(nested))), nested.delivered),
        ("LoggerBackend", LoggerBackend(name="benchmarks.event_tracking"), lines.delivered),
    ]
    contestants = []
    for name, backend, delivered in sinks:
        tracker = Tracker(backends={"sink": backend})
        tracker.enter_context("request", C1)
        tracker.enter_context("user", C2)
        contestants.append(
            Contestant(
                f"event-tracking: {name}",
                "tracker.emit(NAME, DATA)",
                {"tracker": tracker, **EVENT},
                delivered,
            )
        )
    return contestants


def _router(backend: Any) -> RoutingBackend:
    return RoutingBackend(backends={"sink": backend})


def _logger(
    name: str, lines: Lines, formatter: logging.Formatter, stack: ExitStack
) -> logging.Logger:
    handler = logging.FileHandler(lines.path)
    handler.setFormatter(formatter)
    logger = logging.getLogger(name)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    stack.callback(handler.close)
    stack.callback(logger.removeHandler, handler)
    return logger


class _JSONFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(
            {
                "name": record.msg,
                "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
                "data": record.__dict__["data"],
                "context": {**C1, **C2},
            }
        )


def _stdlib_logging(directory: Path, stack: ExitStack) -> Contestant:
    lines = Lines(directory / "logging.ndjson")
    logger = _logger("benchmarks.logging", lines, _JSONFormatter(), stack)
    return Contestant(
        "logging: JSON file",
        'logger.info(NAME, extra={"data": DATA})',
        {"logger": logger, **EVENT},
        lines.delivered,
    )


def _structlog(directory: Path, stack: ExitStack) -> Contestant:
    lines = Lines(
        directory / "structlog.ndjson",
        lambda line: line["event"] == NAME and line["data"] == DATA and line.items() >= _KEPT,
    )
    log = structlog.wrap_logger(
        structlog.BytesLogger(stack.enter_context(lines.path.open("ab"))),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    ).bind()
    return Contestant(
        "structlog: orjson file",
        "log.info(NAME, data=DATA)",
        {"log": log, **EVENT},
        lines.delivered,
        lambda: structlog.contextvars.bound_contextvars(**C1, **C2),
    )


_KEPT = CONTEXT.items()


class _NullExporter(LogRecordExporter):
    def __init__(self) -> None:
        self.count = 0

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        self.count += len(batch)
        return LogRecordExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002  their signature
        return True

    def shutdown(self) -> None:
        pass


def _opentelemetry(stack: ExitStack) -> list[Contestant]:
    simple, batch = _NullExporter(), _NullExporter()
    # With the default of 2,048 the queue drops most of a run, and dropping is fast.
    batching = BatchLogRecordProcessor(batch, max_queue_size=100_000)
    return [
        _logs("simple", simple, SimpleLogRecordProcessor(simple), stack),
        _logs("batch", batch, batching, stack),
    ]


def _logs(
    name: str, exporter: _NullExporter, processor: LogRecordProcessor, stack: ExitStack
) -> Contestant:
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(processor)
    stack.callback(provider.shutdown)

    def delivered() -> int:
        assert provider.force_flush(), "the batch processor did not flush"
        count, exporter.count = exporter.count, 0
        return count

    return Contestant(
        f"OpenTelemetry logs: {name}, null",
        "logger.emit(LogRecord(timestamp=time_ns(), severity_number=INFO, event_name=NAME,"
        " body=DATA, attributes={**C1, **C2}))",
        {
            "logger": provider.get_logger("benchmarks"),
            "LogRecord": LogRecord,
            "INFO": SeverityNumber.INFO,
            "time_ns": time_ns,
            "C1": C1,
            "C2": C2,
            **EVENT,
        },
        delivered,
    )
