"""What is compared with what, and how well we must do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from typing import Final, Literal

from benchmarks.black_hole import BLACK_HOLE
from benchmarks.cliffs import CLIFFS
from benchmarks.sender import CALLER
from benchmarks.through_structlog import LOG_EMIT, LOG_EMIT_BOUND
from benchmarks.to_celery import GONE, OURS, THEIRS

__all__ = ["IMPORTS", "ROWS", "Result", "Row", "results"]

Kind = Literal["at most", "at least", "over", "over, µs", "ms"]

PATHS: Final = {
    "null": "1 null backend",
    "routers": "2 three nested routers",
    "file": "3 file backend, inline",
    "check": "check of a flat type",
    "processed": "4 file, trace, type check, 3 processors",
    "span": "4 the same in a recording span",
    "queue": "5 queue",
    "queue, saturated": "5 queue, saturated",
    "spool": "6 spool",
    "spool, saturated": "6 spool, saturated",
    "mongo": "7 MongoDB, acknowledged",
    "mongo, caller": "7 MongoDB, the caller's median",
    "celery": "8 Celery, end to end",
    "celery, caller": "8 Celery, the caller's median",
    "celery, gone": "broker gone, the caller's p99.9",
    "segment": "9 Segment, delivered",
    "structlog": "structlog's log.emit",
    "black hole": "black hole, the caller's p99.9",
    "import": "import, in ms",
}

IMPORTS: Final = {
    "bare Python": "pass",
    "import: ours": "import eventtracking_core",
    "import: event-tracking": "import eventtracking.tracker",
    "import: structlog": "import structlog",
    "import: OpenTelemetry logs": "import opentelemetry.sdk._logs",
}


@dataclass(frozen=True)
class Row:
    """Ours against one reference.

    Args:
        path: which way the event takes.
        ours: our contestant.
        reference: the other one.
        must: the ratio to meet, where one is asked for.
        reach: the ratio to reach for.
        kind: `at most` times the reference's time, `at least` that many times faster, at most so
            many ms or µs `over` it, or at most so many `ms`, whatever the reference needs.
    """

    path: str
    ours: str
    reference: str
    must: float | None = None
    reach: float | None = None
    kind: Kind = "at least"


NULL: Final = "ours: null"
ROUTERS: Final = "ours: three routers"
FILE: Final = "ours: file"
PROCESSED: Final = "ours: file, processed"
IN_SPAN: Final = "ours: file, processed, in a span"
MONGO: Final = "ours: mongo"
THEIR_MONGO: Final = "event-tracking: MongoBackend, w=1"
STUCK: Final = BLACK_HOLE.format("event-tracking")

ROWS: Final = (
    Row(PATHS["null"], NULL, "FLOOR1", 0.8, 0.6, "at most"),
    Row(PATHS["null"], NULL, "event-tracking: null", 20, 30),
    Row(PATHS["null"], NULL, "OpenTelemetry logs: simple, null"),
    Row(PATHS["null"], NULL, "OpenTelemetry logs: batch, null"),
    Row(PATHS["routers"], ROUTERS, NULL, 1.1, None, "at most"),
    Row(PATHS["routers"], ROUTERS, "event-tracking: three routers", 60, 100),
    Row(PATHS["check"], "ours: flat, checked", "ours: flat, unchecked", 0.3, None, "over, µs"),
    Row(PATHS["file"], FILE, "FLOOR2", 1.4, 1.2, "at most"),
    Row(PATHS["file"], FILE, "event-tracking: LoggerBackend", 15, 20),
    Row(PATHS["file"], FILE, "logging: JSON file"),
    Row(PATHS["file"], FILE, "structlog: orjson file"),
    Row(PATHS["processed"], PROCESSED, "FLOOR2", 2.2, 1.9, "at most"),
    Row(PATHS["span"], IN_SPAN, "FLOOR2", 2.2, 1.9, "at most"),
    *[
        Row(f"3 no cliff: {name}", f"ours: file, {name}", f"FLOOR2: {name}", 3, 2, "at most")
        for name in CLIFFS
    ],
    Row(PATHS["queue"], "ours: queue", "FLOOR1", 2.5, 1.8, "at most"),
    Row(PATHS["queue, saturated"], "ours: queue, saturated", "FLOOR1", kind="at most"),
    Row(PATHS["spool"], "ours: spool", "FLOOR2", 2.0, 1.4, "at most"),
    Row(PATHS["spool, saturated"], "ours: spool, saturated", "FLOOR2", kind="at most"),
    Row(PATHS["mongo"], MONGO, "pymongo: insert_many(1000)", 0.8, 1.0),
    Row(PATHS["mongo"], MONGO, THEIR_MONGO, 15),
    Row(
        PATHS["mongo, caller"], CALLER.format(MONGO), CALLER.format("FLOOR1"), 2.5, None, "at most"
    ),
    Row(PATHS["celery"], OURS, THEIRS, 20, 40),
    Row(
        PATHS["celery, caller"], CALLER.format(OURS), CALLER.format("FLOOR1"), 2.5, None, "at most"
    ),
    Row(PATHS["celery, gone"], GONE.format(OURS), GONE.format(THEIRS), 1, None, "ms"),
    Row(PATHS["segment"], "ours: segment", "segment-analytics-python", 4, 8),
    Row(PATHS["structlog"], LOG_EMIT, NULL, 5, None, "over, µs"),
    Row(PATHS["structlog"], LOG_EMIT_BOUND, NULL, 5, None, "over, µs"),
    Row(PATHS["black hole"], BLACK_HOLE.format("ours: queue"), STUCK, 1, None, "ms"),
    Row(PATHS["black hole"], BLACK_HOLE.format("ours: spool"), STUCK, 1, None, "ms"),
    Row(PATHS["import"], "import: ours", "bare Python", 45, 25, "over"),
)


@dataclass(frozen=True)
class Result:
    """A row, measured.

    Args:
        row: what was compared.
        ours: our median.
        reference: the reference's median.
        ratio: of the two as the row's kind asks for it, or their difference.
        missing: why it could not be measured; then there are no figures.
    """

    row: Row
    ours: float = nan
    reference: float = nan
    ratio: float = nan
    missing: str = ""

    @property
    def verdict(self) -> str:
        """Say whether the row is met; nothing where nothing is asked for."""
        if self.missing:
            return f"not measured: {self.missing}"
        if self.row.must is None:
            return ""
        if not self._meets(self.row.must):
            return "not met"
        return "reach met" if self.row.reach and self._meets(self.row.reach) else "met"

    def _meets(self, limit: float) -> bool:
        return self.ratio >= limit if self.row.kind == "at least" else self.ratio <= limit


def results(medians: Mapping[str, float], missing: str) -> list[Result]:
    """Return every row, measured, or with the reason why it is missing."""
    return [
        _result(row, medians[row.ours], medians[row.reference])
        if {row.ours, row.reference} <= medians.keys()
        else Result(row, missing=missing)
        for row in ROWS
    ]


def _result(row: Row, ours: float, reference: float) -> Result:
    ratios = {
        "at most": ours / reference,
        "at least": reference / ours,
        "over": ours - reference,
        "over, µs": ours - reference,
        "ms": ours / 1000,
    }
    return Result(row, ours, reference, ratios[row.kind])
