"""Our contestants, configured as an operator would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import TracerProvider

from benchmarks.contestant import Contestant
from benchmarks.sample import C1, C2, CONTEXT, DATA, NAME
from benchmarks.sinks import Lines
from eventtracking_core import FieldDoc, Tracker

__all__ = ["NULL", "buffered", "contestant", "counted", "entered", "ours"]

NULL = {"backends": {"sink": "null"}}
NESTED = {"backends": {"a": {"backends": {"b": {"backends": {"c": NULL}}}}}}

PROCESSORS = [
    {"type": "regex_filter", "filter_type": "allowlist", "regular_expressions": [r"edx\..*"]},
    {"type": "redact", "fields": ["context.ip"]},
    {"type": "sample", "rate": 1.0},
]
WAITS = 60.0
"""Seconds for a flush at the end of a round."""

FLAT_TYPES = {
    "problem_id": "string",
    "attempts": "integer",
    "success": "string",
    "grade": "number",
    "max_grade": "number",
}
TYPES = FLAT_TYPES | {"answers": "object"}

TRACE_FIELDS = {"trace_id", "span_id", "trace_flags"}


def ours(directory: Path, stack: ExitStack) -> list[Contestant]:
    """Return our emit on each path that has a row."""
    plain = Lines(directory / "plain.ndjson")
    traced = Lines(directory / "traced.ndjson", _is_redacted)
    in_span = Lines(directory / "span.ndjson", _is_redacted_and_traced)
    return [
        contestant("null", NULL, stack),
        contestant("three routers", NESTED, stack),
        *_flat(stack),
        contestant("file", _file(plain), stack, lines=plain),
        contestant("file, processed", _file(traced) | _PROCESSED, stack, lines=traced, types=TYPES),
        contestant(
            "file, processed, in a span",
            _file(in_span) | _PROCESSED,
            stack,
            lines=in_span,
            types=TYPES,
            span=_recording_span(),
        ),
        *_buffered("queue", directory, stack),
        *_buffered("spool", directory, stack),
    ]


def entered(tracker: Tracker) -> Callable[[], str]:
    """Enter both contexts, to stay there; return what emits the event."""
    tracker.enter_context("request", C1)
    tracker.enter_context("user", C2)
    return lambda: tracker.emit(NAME, DATA)


def buffered(mode: str, directory: Path, *, leaves: int = 1) -> dict[str, Any]:
    """Return a configuration of leaves that count what they get, each with a buffer of its own."""
    delivery = {"mode": mode, "directory": str(directory)}
    sink = {"type": "null", "delivery": delivery}
    return {"backends": {f"sink{number}": sink for number in range(leaves)}}


def _buffered(mode: str, directory: Path, stack: ExitStack) -> list[Contestant]:
    """Return the mode with a worker that keeps up, with one that does not, and with two leaves."""
    return [
        contestant(mode, buffered(mode, directory / mode), stack, pauses=True),
        contestant(f"{mode}, saturated", buffered(mode, directory / f"{mode}-saturated"), stack),
        contestant(
            f"{mode}, two leaves",
            buffered(mode, directory / f"{mode}-two", leaves=2),
            stack,
            pauses=True,
        ),
    ]


_PROCESSED: dict[str, Any] = {"context": ["trace"], "processors": PROCESSORS}


def _flat(stack: ExitStack) -> list[Contestant]:
    """Return an event of scalars, not registered and registered: the check is the difference."""
    flat = {field: DATA[field] for field in FLAT_TYPES}
    return [
        contestant("flat, unchecked", NULL, stack, data=flat),
        contestant("flat, checked", NULL, stack, data=flat, types=FLAT_TYPES),
    ]


def _file(lines: Lines) -> dict[str, Any]:
    return {"backends": {"sink": {"type": "file", "path": str(lines.path)}}}


def contestant(
    name: str,
    config: dict[str, Any],
    stack: ExitStack,
    *,
    data: dict[str, Any] = DATA,
    types: Mapping[str, str] | None = None,
    lines: Lines | None = None,
    span: Callable[[], AbstractContextManager[object]] | None = None,
    pauses: bool = False,
) -> Contestant:
    """Return a tracker of ours, configured, that emits the sample event."""
    tracker = Tracker()
    tracker.configure(config)
    stack.callback(tracker.shutdown)
    if types is not None:
        fields = {field: FieldDoc(field, type=kind) for field, kind in types.items()}
        tracker.register(NAME, "A problem was checked.", fields)

    @contextmanager
    def around() -> Iterator[None]:
        with ExitStack() as contexts:
            contexts.enter_context(tracker.context("request", C1))
            contexts.enter_context(tracker.context("user", C2))
            if span is not None:
                contexts.enter_context(span())
            yield

    return Contestant(
        f"ours: {name}",
        "tracker.emit(NAME, DATA)",
        {"tracker": tracker, "NAME": NAME, "DATA": data},
        counted(tracker, lines),
        around,
        tracker.flush if pauses else None,
    )


def counted(tracker: Tracker, lines: Lines | None = None) -> Callable[[], int]:
    """Return what reads the ledger, and compares it with the lines that arrived."""
    seen = 0

    def delivered() -> int:
        nonlocal seen
        assert tracker.flush(WAITS), "ours did not flush"
        stats = tracker.stats()
        total: int = stats["emitted"]
        assert not stats["warnings"], "there were warnings"
        for leaf in _leaves(stats["tree"]):
            assert total == leaf["accepted"] == leaf["delivered"], "events were dropped"
        count, seen = total - seen, total
        assert lines is None or lines.delivered() == count, "the file and the ledger differ"
        return count

    return delivered


def _leaves(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if not node.get("backends"):
        yield node
        return
    assert not node["dropped"], "a router dropped events"
    assert not any(step["errors"] for step in node["processors"]), "a processor failed"
    for child in node["backends"]:
        yield from _leaves(child)


def _recording_span() -> Callable[[], AbstractContextManager[object]]:
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("benchmarks")
    return lambda: tracer.start_as_current_span("request")


def _is_redacted(line: dict[str, Any]) -> bool:
    unredacted = {key: value for key, value in CONTEXT.items() if key != "ip"}
    return (line["name"], line["data"], line["context"]) == (NAME, DATA, unredacted)


def _is_redacted_and_traced(line: dict[str, Any]) -> bool:
    context = line["context"]
    traced = context.keys() >= TRACE_FIELDS
    untraced = {key: value for key, value in context.items() if key not in TRACE_FIELDS}
    return traced and _is_redacted({**line, "context": untraced})
