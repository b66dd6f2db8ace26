"""Events of many users, as a server has them: the same fields, with values of their own.

What is compressed or stored by its values costs next to nothing if all events are alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from random import Random
from typing import Any, Final

from benchmarks.sample import C1, C2, DATA, NAME
from eventtracking_core import Event, Tracker
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_core.encoding import (
    JsonBatch,
    NormalBatch,
    encode_msgpack,
    encode_text,
    normal_from_msgpack,
)
from eventtracking_core.routing.capabilities import BackendCapabilities

__all__ = ["batches_of", "handed_over", "varied"]

SAID: Final = 1000
"""Different events that are emitted in turn."""

_COURSES: Final = [f"course-v1:edX+Demo{number}+2026" for number in range(12)]


def varied(tracker: Tracker) -> Callable[[], str]:
    """Return what emits an event of another user each time, below contexts of theirs."""
    random = Random(1)  # the same events in each run
    said = cycle([_said(random) for _ in range(SAID)])

    def emit() -> str:
        request, user, data = next(said)
        with tracker.context("request", request), tracker.context("user", user):
            return tracker.emit(NAME, data)

    return emit


def batches_of(size: int, number: int) -> list[NormalBatch]:
    """Return batches of events that were emitted before."""
    memory = MemoryBackend(number)
    emit = varied(Tracker({"memory": memory}))
    for _ in range(number):
        emit()
    events: list[Event] = [normal_from_msgpack(encode_msgpack(each)) for each in memory.events]
    return [NormalBatch(events[start : start + size]) for start in range(0, len(events), size)]


def handed_over(backend: object, batches: Sequence[NormalBatch]) -> Iterator[Sequence[Event]]:
    """Return batches in turn, each new and in the form in which a worker hands it to a backend.

    So where a backend takes JSON, it gets what the emitting thread encoded, not decoded again.
    """
    capabilities = BackendCapabilities(backend)
    if not capabilities.takes_json:
        return map(NormalBatch if capabilities.read_wire is None else list, cycle(batches))
    return map(JsonBatch, cycle([list(map(encode_text, batch)) for batch in batches]))


def _said(random: Random) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the two contexts and the data of an event."""
    course, problem = random.choice(_COURSES), f"{random.getrandbits(128):032x}"
    answer = problem[:8]
    number = random.randrange(1, 100_000)
    request = C1 | {
        "ip": ".".join(str(random.randrange(1, 255)) for _ in range(4)),
        "agent": f"{C1['agent'][:-5]}{random.randrange(90, 140)}.0",
        "path": f"/courses/{course}/xblock/problem_check",
        "session": f"{random.getrandbits(128):032x}",
    }
    user = C2 | {"user_id": number, "username": f"user{number}", "course_id": course}
    data = DATA | {
        "problem_id": f"block-{course[7:]}+type@problem+block@{problem}",
        "attempts": random.randrange(1, 9),
        "success": random.choice(["correct", "incorrect"]),
        "grade": random.randrange(9) / 4,
        "answers": {
            f"{answer}_2_1": f"choice_{random.randrange(5)}",
            f"{answer}_3_1": [f"choice_{random.randrange(5)}" for _ in range(2)],
        },
    }
    return request, user, data
