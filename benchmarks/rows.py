"""What is compared with what, and how well we must do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from statistics import median, quantiles
from typing import Final, Literal

from benchmarks.black_hole import BLACK_HOLE
from benchmarks.cliffs import CLIFFS
from benchmarks.deep import DEEP_FLOOR1, DEEP_FLOOR2
from benchmarks.middleware import MIDDLEWARE
from benchmarks.replaying import REPLAY
from benchmarks.rounds import Samples
from benchmarks.sender import CALLER
from benchmarks.threads import FLOOR_LONGEST, LONGEST, P99, RATE, THREADS
from benchmarks.through_structlog import LOG_EMIT, LOG_EMIT_BOUND
from benchmarks.to_celery import GONE, OURS, THEIRS

__all__ = ["IMPORTS", "ROWS", "Kind", "Result", "Row", "drifting", "results"]

Kind = Literal["at most", "at least", "over", "over, µs", "ms"]

DRIFT: Final = 0.1
"""By how much a reference may change within a run before its rows mean little."""

ENOUGH: Final = 2
"""Rounds in half a run below which nothing can be said of a drift."""

RATIOS: Final[dict[Kind, Callable[[float, float], float]]] = {
    "at most": lambda ours, reference: ours / reference,
    "at least": lambda ours, reference: reference / ours,
    "over": lambda ours, reference: ours - reference,
    "over, µs": lambda ours, reference: ours - reference,
    "ms": lambda ours, _: ours / 1000,
}

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
    "leaf": "a further buffered leaf",
    "deep": "a deeper event",
    "mongo": "7 MongoDB, acknowledged",
    "mongo, caller": "7 MongoDB, the caller's median",
    "postgres": "7 PostgreSQL, acknowledged",
    "clickhouse": "7 ClickHouse, acknowledged",
    "kafka": "7 Kafka, confirmed",
    "objects": "7 objects, written",
    "http": "7 HTTP, answered",
    "redis": "7 Redis, appended",
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
PSYCOPG: Final = "psycopg: COPY and merge of 1,000"
CLICKHOUSE_CONNECT: Final = "clickhouse-connect: insert of 10,000"
CONFLUENT: Final = "confluent-kafka: produce and flush 1,000"
PYMONGO: Final = "pymongo: insert_many(1000)"
OBSTORE: Final = "obstore: put of 1,000 lines"
URLLIB3: Final = "urllib3: POST of 1,000 lines"
REDIS_PY: Final = "redis-py: the same script, 1,000"
STUCK: Final = BLACK_HOLE.format("event-tracking")

ROWS: Final = (
    Row(PATHS["null"], NULL, "FLOOR1", 0.7, 0.6, "at most"),
    Row(PATHS["null"], NULL, "event-tracking: null", 20, 25),
    Row(PATHS["null"], NULL, "OpenTelemetry logs: simple, null"),
    Row(PATHS["null"], NULL, "OpenTelemetry logs: batch, null"),
    Row(PATHS["routers"], ROUTERS, NULL, 1.1, None, "at most"),
    Row(PATHS["routers"], ROUTERS, "event-tracking: three routers", 70, 100),
    Row(PATHS["check"], "ours: flat, checked", "ours: flat, unchecked", 0.3, None, "over, µs"),
    Row(PATHS["file"], FILE, "FLOOR2", 1.5, 1.2, "at most"),
    Row(PATHS["file"], FILE, "event-tracking: LoggerBackend", 9),
    Row(PATHS["file"], FILE, "logging: JSON file"),
    Row(PATHS["file"], FILE, "structlog: orjson file"),
    Row(PATHS["processed"], PROCESSED, "FLOOR2", 2.6, 1.9, "at most"),
    Row(PATHS["span"], IN_SPAN, "FLOOR2", 2.6, 1.9, "at most"),
    *[
        Row(
            f"a request through {kind} middleware",
            f"ours: {kind} middleware",
            f"empty {kind} middleware",
            *(30, 15, "over, µs"),
        )
        for kind in MIDDLEWARE
    ],
    *[
        Row(f"3 no cliff: {name}", f"ours: file, {name}", f"FLOOR2: {name}", 3, 2, "at most")
        for name in CLIFFS
    ],
    Row(PATHS["queue"], "ours: queue", "FLOOR1", 2.4, 1.75, "at most"),
    Row(PATHS["queue, saturated"], "ours: queue, saturated", "FLOOR1", kind="at most"),
    Row(PATHS["spool"], "ours: spool", "FLOOR2", 1.85, 1.4, "at most"),
    Row(PATHS["spool, saturated"], "ours: spool, saturated", "FLOOR2", kind="at most"),
    Row(PATHS["leaf"], "ours: queue, two leaves", "ours: queue", 0.4, None, "over, µs"),
    Row(PATHS["leaf"], "ours: spool, two leaves", "ours: spool", 2.4, None, "over, µs"),
    Row(PATHS["deep"], "ours: null, deep", DEEP_FLOOR1, kind="at most"),
    Row(PATHS["deep"], "ours: file, deep", DEEP_FLOOR2, 1.5, 1.2, "at most"),
    Row(PATHS["deep"], "ours: queue, deep", DEEP_FLOOR1, 2.4, 1.75, "at most"),
    Row(PATHS["deep"], "ours: spool, deep", DEEP_FLOOR2, 1.85, 1.4, "at most"),
    *[
        Row(
            f"threads: {way}, 8 of them",
            name.format(way, 8),
            reference.format(way, 1),
            limit,
            None,
            "ms",
        )
        for way in ("queue", "spool")
        for name, reference, limit in ((P99, P99, 1), (LONGEST, FLOOR_LONGEST, 100))
    ],
    *[
        Row(f"threads: {way}", RATE.format(way, count), RATE.format(way, 1), 1.5, None, "at most")
        for way in ("queue", "spool")
        for count in THREADS[1:]
    ],
    Row(PATHS["mongo"], MONGO, PYMONGO, 0.65, 0.94),
    Row(PATHS["mongo"], "ours: mongo, send_batch(1000)", PYMONGO, 0.8, 1.0),
    Row(PATHS["mongo"], REPLAY.format("mongo"), PYMONGO),
    Row(PATHS["mongo"], MONGO, THEIR_MONGO, 15),
    Row(
        PATHS["mongo, caller"], CALLER.format(MONGO), CALLER.format("FLOOR1"), 2.4, None, "at most"
    ),
    Row(PATHS["postgres"], "ours: postgres, send_batch(1000)", PSYCOPG, 0.8, 1.0),
    Row(PATHS["postgres"], REPLAY.format("postgres"), PSYCOPG),
    Row(PATHS["postgres"], "ours: postgres", PSYCOPG),
    Row(PATHS["clickhouse"], "ours: clickhouse, send_batch(10000)", CLICKHOUSE_CONNECT, 0.8, 1.0),
    Row(PATHS["clickhouse"], REPLAY.format("clickhouse"), CLICKHOUSE_CONNECT),
    Row(PATHS["clickhouse"], "ours: clickhouse", CLICKHOUSE_CONNECT),
    Row(PATHS["kafka"], "ours: kafka, send_batch(1000)", CONFLUENT, 0.8, 1.0),
    Row(PATHS["kafka"], "ours: kafka", CONFLUENT),
    Row(PATHS["objects"], "ours: objects, send_batch(1000)", OBSTORE, 0.8, 1.0),
    Row(PATHS["objects"], REPLAY.format("objects"), OBSTORE),
    Row(PATHS["objects"], "ours: objects", OBSTORE),
    Row(PATHS["http"], "ours: http, send_batch(1000)", URLLIB3, 0.8, 1.0),
    Row(PATHS["http"], "ours: http", URLLIB3),
    Row(PATHS["redis"], "ours: redis, send_batch(1000)", REDIS_PY, 0.8, 1.0),
    Row(PATHS["redis"], "ours: redis, send_batch(1000)", "redis-py: pipeline of 1,000 XADD"),
    Row(PATHS["redis"], "ours: redis", REDIS_PY),
    Row(PATHS["celery"], OURS, THEIRS, 45, 60),
    Row(
        PATHS["celery, caller"], CALLER.format(OURS), CALLER.format("FLOOR1"), 2.2, None, "at most"
    ),
    Row(PATHS["celery, gone"], GONE.format(OURS), GONE.format(THEIRS), 1, None, "ms"),
    Row(PATHS["segment"], "ours: segment", "segment-analytics-python", 4, 5),
    Row(PATHS["structlog"], LOG_EMIT, NULL, 5, None, "over, µs"),
    Row(PATHS["structlog"], LOG_EMIT_BOUND, NULL, 5, None, "over, µs"),
    Row(PATHS["black hole"], BLACK_HOLE.format("ours: queue"), STUCK, 1, None, "ms"),
    Row(PATHS["black hole"], BLACK_HOLE.format("ours: spool"), STUCK, 1, None, "ms"),
    Row(PATHS["import"], "import: ours", "bare Python", 30, 20, "over"),
)


@dataclass(frozen=True)
class Result:
    """A row, measured.

    Args:
        row: what was compared.
        ours: our median.
        reference: the reference's median.
        ratio: of the two as the row's kind asks for it, or their difference.
        spread: the quartiles of that ratio over the rounds, each taken with the reference's figure
            of the same round; both nan where there was one round.
        missing: why it could not be measured; then there are no figures.
    """

    row: Row
    ours: float = nan
    reference: float = nan
    ratio: float = nan
    spread: tuple[float, float] = (nan, nan)
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


def results(samples: Samples, missing: str) -> list[Result]:
    """Return every row, measured, or with the reason why it is missing."""
    return [
        _result(row, samples[row.ours], samples[row.reference])
        if {row.ours, row.reference} <= samples.keys()
        else Result(row, missing=missing)
        for row in ROWS
    ]


def _result(row: Row, ours: Sequence[float], reference: Sequence[float]) -> Result:
    ratio = RATIOS[row.kind]
    middle = median(ours), median(reference)
    spread = (nan, nan)
    rounds = [ratio(*both) for both in zip(ours, reference, strict=False)]
    if len(rounds) > 1:
        low, _, high = quantiles(rounds, method="inclusive")
        spread = (low, high)
    return Result(row, *middle, ratio(*middle), spread)


def drifting(samples: Samples) -> list[str]:
    """Return a line for each reference that became slower or faster by a tenth within the run."""
    lines = []
    for name in dict.fromkeys(row.reference for row in ROWS if row.must is not None):
        times = samples.get(name, ())
        half = len(times) // 2
        if half < ENOUGH:
            continue
        drift = median(times[-half:]) / median(times[:half]) - 1
        if abs(drift) > DRIFT:
            lines.append(f"{name} drifted by {drift:+.0%} within the run: measure again, idle")
    return lines
