"""Metrics: the counters of trees, and OpenTelemetry instruments that read them in callbacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple
from weakref import WeakSet, ref

from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation, get_meter

from eventtracking_core.delivery import BufferedLeaf
from eventtracking_core.lifecycle.forks import check_fork
from eventtracking_core.routing import Leaf, RoutingBackend, walk_tree

if TYPE_CHECKING:
    from eventtracking_core.pipeline.pipeline import Pipeline, Warnings

__all__ = ["BACKEND_NAME", "BACKEND_TYPE", "SCOPE", "Metrics"]

EMITTED: Final = "eventtracking.event.emitted"
PROCESSED: Final = "eventtracking.processor.processed"
EXPORTED: Final = "eventtracking.backend.exported"
DURATION: Final = "eventtracking.backend.operation.duration"
SIZE: Final = "eventtracking.queue.size"
CAPACITY: Final = "eventtracking.queue.capacity"
WARNINGS: Final = "eventtracking.validation.warnings"

BACKEND_NAME: Final = "eventtracking.backend.name"
BACKEND_TYPE: Final = "eventtracking.backend.type"

_Attributes = tuple[tuple[str, str], ...]

_Callback = Callable[[CallbackOptions], Iterable[Observation]]

SCOPE: Final = "eventtracking"

MAX_SERIES: Final = 2_000
"""What is left of pipelines that ended is kept apart for so many sets of attributes."""

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


class _Series(NamedTuple):
    """A metric with one set of attributes."""

    metric: str
    attributes: _Attributes = ()


def _counts(root: RoutingBackend, emitted: int) -> Counter[_Series]:
    """Return the counts of a tree: events emitted, processed, exported."""
    totals: Counter[_Series] = Counter()
    totals[_Series(EMITTED)] = emitted
    for names, node in walk_tree(root, everywhere=True):
        path = ".".join(names)
        if isinstance(node, Leaf):
            _add_exported(totals, path, node)
        elif node.steps:
            _add_processed(totals, path, node)
    return totals


def _queues(root: RoutingBackend) -> Counter[_Series]:
    """Return the sizes and capacities of a tree's queues."""
    sizes: Counter[_Series] = Counter()
    for names, leaf in walk_tree(root, everywhere=True):
        if not isinstance(leaf, BufferedLeaf):
            continue
        where = (BACKEND_NAME, ".".join(names)), (BACKEND_TYPE, leaf.type_name)
        memory = (*where, ("eventtracking.queue.type", "memory"))
        sizes[_Series(SIZE, memory)] += leaf.buffer.in_memory
        sizes[_Series(CAPACITY, memory)] += leaf.options.max_queue_size
        if leaf.buffer.spool is not None:
            spool = (*where, ("eventtracking.queue.type", "spool"))
            sizes[_Series(SIZE, spool)] += leaf.buffer.spool.unread
    return sizes


def _add_exported(totals: Counter[_Series], path: str, leaf: Leaf) -> None:
    where = (BACKEND_NAME, path), (BACKEND_TYPE, leaf.type_name)
    delivered, failed = leaf.ledger.outcomes()
    totals[_Series(EXPORTED, where)] += delivered
    for reason, number in failed.items():
        totals[_Series(EXPORTED, (*where, ("error.type", reason)))] += number


def _add_processed(totals: Counter[_Series], path: str, router: RoutingBackend) -> None:
    left = router.ledger.accepted.value
    for step in router.steps:
        counts = step.stats()
        failed, dropped = counts["errors"], counts["dropped"]
        where: _Attributes = (
            ("eventtracking.router.name", path),
            ("eventtracking.processor.name", str(step.name)),
        )
        outcome = "eventtracking.processor.outcome"
        totals[_Series(PROCESSED, (*where, (outcome, "dropped")))] += dropped
        for reason, number in failed.items():
            failure = ((outcome, "failed"), ("error.type", reason))
            totals[_Series(PROCESSED, (*where, *failure))] += number
        passed = left - dropped - sum(failed.values())
        totals[_Series(PROCESSED, (*where, (outcome, "passed")))] += passed
        left += counts["added"] - dropped
        left -= sum(failed.values()) if step.on_error == "drop" else 0


class _PipelineMetrics:
    """A pipeline's counters, or their last values after it ended."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = ref(pipeline)
        self.last_counts: Counter[_Series] | None = None

    def end(self, pipeline: Pipeline) -> None:
        """Keep the last values of the counters."""
        self.last_counts = _counts(pipeline.root, pipeline.events_emitted)

    def counts(self) -> Counter[_Series]:
        pipeline = self._pipeline()
        if pipeline is None or self.last_counts is not None:
            return self.last_counts or Counter()
        return _counts(pipeline.root, pipeline.events_emitted)

    def queues(self) -> Counter[_Series]:
        pipeline = self._pipeline()
        return (
            _queues(pipeline.root)
            if pipeline is not None and self.last_counts is None
            else Counter()
        )


class Metrics:
    """The instruments of a process, and the pipelines that they report.

    Any thread may read the counters, and a pipeline may end in any thread, even during a reading,
    so neither takes a lock.
    """

    def __init__(self) -> None:
        self._pipelines: list[_PipelineMetrics] = []
        self._trackers: WeakSet[Warnings] = WeakSet()
        self._highest: dict[_Series, int] = {}
        self._changing = Lock()
        meter = get_meter(SCOPE)
        for name, (unit, description) in _COUNTERS.items():
            totals = self._warnings if name == WARNINGS else self._counts
            meter.create_observable_counter(name, [_callback(name, totals)], unit, description)
        for name, (unit, description) in _LEVELS.items():
            levels = [_callback(name, self._queues)]
            meter.create_observable_up_down_counter(name, levels, unit, description)
        self.duration = _duration(meter)

    def instrument(self, pipeline: Pipeline, warnings: Warnings) -> None:
        """Publish metrics of a pipeline while it lives; its counts are kept afterwards."""
        pipeline_metrics = _PipelineMetrics(pipeline)
        # A pipeline is gone when its tracker has another one, or is gone too.
        pipeline.ends.append(pipeline_metrics.end)
        with self._changing:
            ended = [each for each in self._pipelines if each.last_counts is not None]
            active = [each for each in self._pipelines if each not in ended]
            self._pipelines = [*_merged(ended), *active, pipeline_metrics]
            self._trackers.add(warnings)

    def _counts(self) -> Mapping[_Series, int]:
        return self._not_falling(_sum(each.counts() for each in self._pipelines))

    def _queues(self) -> Mapping[_Series, int]:
        return _sum(each.queues() for each in self._pipelines)

    def _warnings(self) -> Mapping[_Series, int]:
        total: Counter[_Series] = Counter()
        for tracker in list(self._trackers):
            for code, number in tracker.counts().items():
                total[_Series(WARNINGS, (("eventtracking.warning.type", code),))] += number
        return self._not_falling(total)

    def _not_falling(self, totals: Counter[_Series]) -> Mapping[_Series, int]:
        # The counters go on while they are read, one after the other, so what is derived from two
        # of them may be one too many for a moment. A counter that falls is taken for a new one.
        for series, number in totals.items():
            self._highest[series] = max(number, self._highest.get(series, 0))
        return {series: self._highest[series] for series in totals}

    def forked(self) -> None:
        """Count from zero, as the pipelines of a forked child do."""
        self._changing = Lock()
        self._pipelines = [each for each in self._pipelines if each.last_counts is None]
        self._highest = {}


def _sum(counters: Iterable[Counter[_Series]]) -> Counter[_Series]:
    total: Counter[_Series] = Counter()
    for each in counters:
        total.update(each)  # unlike `+`, it keeps what is zero
    return total


def _merged(ended: list[_PipelineMetrics]) -> list[_PipelineMetrics]:
    if not ended:
        return []
    first, *others = ended
    counts = first.last_counts or Counter()
    for each in others:
        for series, number in (each.last_counts or Counter()).items():
            known = series in counts or len(counts) < MAX_SERIES
            counts[series if known else _Series(series.metric, _OVERFLOW)] += number
    first.last_counts = counts
    return [first]


def _callback(name: str, totals: Callable[[], Mapping[_Series, int]]) -> _Callback:
    """Return a function that observes a metric among those that `totals` returns."""

    def read(_options: CallbackOptions) -> Iterable[Observation]:
        check_fork()
        return [
            Observation(number, dict(series.attributes))
            for series, number in totals().items()
            if series.metric == name
        ]

    return read


def _duration(meter: Meter) -> Histogram:
    unit, description = "s", "How long a backend took for a batch."
    try:
        return meter.create_histogram(
            DURATION, unit, description, explicit_bucket_boundaries_advisory=_BUCKETS
        )
    except TypeError:  # opentelemetry-api before 1.30
        return meter.create_histogram(DURATION, unit, description)
