"""Metrics: OpenTelemetry instruments that read our counters in callbacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Final
from weakref import WeakSet, ref

from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation, get_meter

from eventtracking_core.forks import check_fork
from eventtracking_core.telemetry._counts import (
    CAPACITY,
    DURATION,
    EMITTED,
    EXPORTED,
    PROCESSED,
    SIZE,
    WARNINGS,
    Series,
    counts,
    queues,
)

if TYPE_CHECKING:
    from eventtracking_core.pipeline import Pipeline, Warnings

__all__ = ["SCOPE", "Metrics"]

_Callback = Callable[[CallbackOptions], Iterable[Observation]]

SCOPE: Final = "eventtracking"

MAX_SERIES: Final = 2_000
"""What is left of pipelines that are gone is kept apart for so many sets of attributes."""

_OVERFLOW: Final = (("otel.metric.overflow", "true"),)

# Those that OpenTelemetry recommends for durations in seconds.
_BUCKETS: Final = (
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
)  # fmt: skip

_COUNTERS: Final = {
    EMITTED: ("{event}", "Events that trackers emitted."),
    PROCESSED: ("{event}", "Events that a processor has processed."),
    EXPORTED: (
        "{event}",
        "Events that were delivered, dropped or dead-lettered.",
    ),
    WARNINGS: ("{warning}", "Warnings about emitted events."),
}
_LEVELS: Final = {
    SIZE: ("{event}", "Events waiting for a backend."),
    CAPACITY: ("{event}", "Events that a queue has room for."),
}


class _PipelineMetrics:
    """A pipeline's counters, or their last values after it ended."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = ref(pipeline)
        self.left: Counter[Series] | None = None

    def end(self, pipeline: Pipeline) -> None:
        """Keep the last values of the counters."""
        self.left = counts(pipeline.root, pipeline.events_emitted)

    def counts(self) -> Counter[Series]:
        pipeline = self._pipeline()
        if pipeline is None or self.left is not None:
            return self.left or Counter()
        return counts(pipeline.root, pipeline.events_emitted)

    def queues(self) -> Counter[Series]:
        pipeline = self._pipeline()
        return queues(pipeline.root) if pipeline is not None and self.left is None else Counter()


class Metrics:
    """The instruments of a process, and the pipelines that they report.

    Any thread may read the counters, and a pipeline may end in any thread, even during a reading,
    so neither takes a lock.
    """

    def __init__(self) -> None:
        self._pipelines: list[_PipelineMetrics] = []
        self._trackers: WeakSet[Warnings] = WeakSet()
        self._highest: dict[Series, int] = {}
        self._changing = Lock()
        meter = get_meter(SCOPE)
        for name, (unit, description) in _COUNTERS.items():
            meter.create_observable_counter(name, [self._counter(name)], unit, description)
        for name, (unit, description) in _LEVELS.items():
            meter.create_observable_up_down_counter(name, [self._level(name)], unit, description)
        self.duration = _duration(meter)

    def follow(self, pipeline: Pipeline, warnings: Warnings) -> None:
        """Publish metrics of a pipeline while it lives; its counts are kept afterwards."""
        pipeline_metrics = _PipelineMetrics(pipeline)
        # A pipeline is gone when its tracker has another one, or is gone too.
        pipeline.ends.append(pipeline_metrics.end)
        with self._changing:
            gone = [each for each in self._pipelines if each.left is not None]
            active = [each for each in self._pipelines if each not in gone]
            self._pipelines = [*_merged(gone), *active, pipeline_metrics]
            self._trackers.add(warnings)

    def _counter(self, name: str) -> _Callback:
        def read(_options: CallbackOptions) -> Iterable[Observation]:
            check_fork()
            if name == WARNINGS:
                totals = self._warnings()
            else:
                totals = _sum(each.counts() for each in self._pipelines)
            return _observations(name, self._not_falling(totals))

        return read

    def _level(self, name: str) -> _Callback:
        def read(_options: CallbackOptions) -> Iterable[Observation]:
            check_fork()
            return _observations(name, _sum(each.queues() for each in self._pipelines))

        return read

    def _warnings(self) -> Counter[Series]:
        total: Counter[Series] = Counter()
        for tracker in list(self._trackers):
            for code, number in tracker.counts().items():
                total[Series(WARNINGS, (("eventtracking.warning.type", code),))] += number
        return total

    def _not_falling(self, totals: Counter[Series]) -> Mapping[Series, int]:
        # The counters go on while they are read, one after the other, so what is derived from two
        # of them may be one too many for a moment. A counter that falls is taken for a new one.
        for series, number in totals.items():
            self._highest[series] = max(number, self._highest.get(series, 0))
        return {series: self._highest[series] for series in totals}

    def forked(self) -> None:
        """Count from zero, as the pipelines of a forked child do."""
        self._changing = Lock()
        self._pipelines = [each for each in self._pipelines if each.left is None]
        self._highest = {}


def _sum(counters: Iterable[Counter[Series]]) -> Counter[Series]:
    total: Counter[Series] = Counter()
    for each in counters:
        total.update(each)  # unlike `+`, it keeps what is zero
    return total


def _merged(gone: list[_PipelineMetrics]) -> list[_PipelineMetrics]:
    if not gone:
        return []
    first, *others = gone
    left = first.left or Counter()
    for each in others:
        for series, number in (each.left or Counter()).items():
            known = series in left or len(left) < MAX_SERIES
            left[series if known else Series(series.metric, _OVERFLOW)] += number
    first.left = left
    return [first]


def _observations(name: str, totals: Mapping[Series, int]) -> list[Observation]:
    return [
        Observation(number, dict(series.attributes))
        for series, number in totals.items()
        if series.metric == name
    ]


def _duration(meter: Meter) -> Histogram:
    unit, description = "s", "How long a backend took for a batch."
    try:
        return meter.create_histogram(
            DURATION, unit, description, explicit_bucket_boundaries_advisory=_BUCKETS
        )
    except TypeError:  # opentelemetry-api before 1.30
        return meter.create_histogram(DURATION, unit, description)
