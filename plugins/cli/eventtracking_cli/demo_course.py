"""A small course and its learners: what they do in an hour, as events.

Abler learners need fewer attempts, slower ones pause and rewind more, and those who fail look for
help; most take a break at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import exp
from random import Random
from typing import Any, Final, NamedTuple

__all__ = ["COURSE_ID", "HOUR", "Happening", "Learner", "happenings"]

COURSE_ID: Final = "course-v1:Demo+ASTRO101+2026"
LEARNERS: Final = 62
HOUR: Final = timedelta(hours=1)

_BREAK: Final = (27 * 60.0, 36 * 60.0)
"""When most learners are away, in seconds from the beginning."""

_MAX_ATTEMPTS: Final = 5
_AGENTS: Final = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari/605.1.15",
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36",
)
_REFERERS: Final = ("dashboard", "email", "search")
_QUESTIONS: Final = (
    "Why does the Moon keep one face to us?",
    "Is the answer in light years or in parsecs?",
    "The second video stops at 3:20",
    "How do we know the age of a star?",
)


class _Unit(NamedTuple):
    name: str
    video: float
    """The video's length in seconds."""
    problems: tuple[float, ...]
    """How hard each problem is: at ability 0, a problem of 0 is solved by half."""


_UNITS: Final = (
    _Unit("measuring-the-sky", 190, (-1.5, -0.8)),
    _Unit("the-moon", 240, (-0.9, 0.2)),
    _Unit("planets", 170, (-0.4,)),
    _Unit("light-and-spectra", 320, (0.3, 0.9, 1.2)),
    _Unit("stars", 260, (0.0, 0.8)),
    _Unit("the-life-of-a-star", 300, (0.6, 1.4)),
    _Unit("galaxies", 210, (0.9,)),
    _Unit("the-expanding-universe", 340, (1.1, 1.9)),
)


class Learner(NamedTuple):
    """A learner of the course, at a computer."""

    user_id: int
    ability: float
    """0 is average, 1 a standard deviation above it."""
    pace: float
    """1 is average, 2 does everything twice as fast."""
    session: str
    ip: str
    agent: str


class Happening(NamedTuple):
    """Something a learner did."""

    at: datetime
    learner: Learner
    name: str
    data: dict[str, Any]


def happenings(start: datetime, seed: int = 101) -> list[Happening]:
    """Return what the learners do in the hour from `start`, in the order of time.

    Args:
        start: when the hour begins.
        seed: another one makes other learners.
    """
    random = Random(seed)  # noqa: S311  a simulation
    unordered = [
        Happening(start + timedelta(seconds=second), learner, name, data)
        for learner in (_learner(random, 1000 + number) for number in range(LEARNERS))
        for second, name, data in _Visit(random, learner).events()
        if second < HOUR.total_seconds()
    ]
    return sorted(unordered, key=lambda happening: happening.at)


def _learner(random: Random, user_id: int) -> Learner:
    return Learner(
        user_id=user_id,
        ability=random.gauss(0, 1),
        pace=random.lognormvariate(0, 0.25),
        session=f"{random.getrandbits(128):032x}",
        ip=f"198.51.100.{random.randrange(1, 255)}",
        agent=random.choice(_AGENTS),
    )


_Events = Iterator[tuple[float, str, dict[str, Any]]]


class _Visit:
    """One learner's way through the course; time passes in `self._second`."""

    def __init__(self, random: Random, learner: Learner) -> None:
        self._random = random
        self._learner = learner
        self._second = random.triangular(0, 55 * 60, 4 * 60)
        self._end = self._second + random.uniform(15 * 60, 70 * 60)
        self._takes_break = random.random() < 0.85  # noqa: PLR2004  most of them

    def events(self) -> _Events:
        began = self._second
        yield self._now("edx.session.started", {"referer": self._random.choice(_REFERERS)})
        first = self._random.randrange(len(_UNITS) // 2)
        for position, unit in enumerate(_UNITS[first:], start=first):
            if self._second > self._end:
                break
            yield self._now("edx.course.unit.viewed", {"unit": unit.name, "position": position})
            yield from self._heartbeat()
            yield from self._watch(unit)
            for number, difficulty in enumerate(unit.problems):
                yield from self._solve(f"{unit.name}-{number + 1}", difficulty)
            if self._random.random() < 0.12:  # noqa: PLR2004  some come back to it
                yield self._now("edx.bookmark.added", {"unit": unit.name})
        yield self._now("edx.session.ended", {"seconds": round(self._second - began)})

    def _pass(self, mean: float) -> None:
        """Let about so many seconds go by, more for slow learners, and the break."""
        self._second += self._random.expovariate(self._learner.pace / mean)
        start, end = _BREAK
        if self._takes_break and start <= self._second < end:
            self._second = end + self._random.expovariate(1 / 150)

    def _now(self, name: str, data: dict[str, Any]) -> tuple[float, str, dict[str, Any]]:
        return self._second, name, data

    def _heartbeat(self) -> _Events:
        """The heartbeats of a page, which no one analyses."""
        for _ in range(self._random.randrange(2, 5)):
            self._pass(4)
            yield self._now("browser.heartbeat", {"visible": True})

    def _watch(self, unit: _Unit) -> _Events:
        video = {"video_id": unit.name, "duration": unit.video}
        position = 0.0
        while position < unit.video:
            yield self._now("edx.video.played", {**video, "position": round(position, 1)})
            watched = self._random.expovariate(1 / 70) * max(0.5, 1 + self._learner.ability / 3)
            self._pass(max(2.0, min(watched, unit.video - position)))
            position += watched
            if position >= unit.video:
                break
            yield self._now("edx.video.paused", {**video, "position": round(position, 1)})
            self._pass(8)
            if self._random.random() < 0.35 / self._learner.pace:
                back = self._random.uniform(10, 30)
                move = {"from": round(position, 1), "to": round(max(0, position - back), 1)}
                position = max(0.0, position - back)
                yield self._now("edx.video.position.changed", {**video, **move})
        yield self._now("edx.video.completed", video)

    def _solve(self, problem: str, difficulty: float) -> _Events:
        for attempt in range(1, _MAX_ATTEMPTS + 1):
            self._pass(25 + 10 * max(0.0, difficulty))
            chance = 1 / (1 + exp(difficulty - self._learner.ability - 0.4 * attempt))
            correct = self._random.random() < chance
            data = {"problem_id": problem, "attempts": attempt, "correct": correct}
            yield self._now("edx.problem.checked", data)
            if correct:
                self._pass(2)
                yield self._now("edx.grade.changed", {"problem_id": problem, "earned": 1.0})
                return
            yield from self._look_for_help(problem, attempt)
        yield self._now("edx.problem.answer.shown", {"problem_id": problem})

    def _look_for_help(self, problem: str, attempt: int) -> _Events:
        self._pass(10)
        if attempt > 1 and self._random.random() < 0.5:  # noqa: PLR2004  half of the time
            yield self._now("edx.problem.hint.shown", {"problem_id": problem, "hint": attempt - 1})
        elif self._random.random() < 0.3:  # noqa: PLR2004  others may have asked
            yield self._now("edx.forum.thread.viewed", {"problem_id": problem})
            self._pass(30)
            if self._random.random() < 0.25:  # noqa: PLR2004  most only read
                question = self._random.choice(_QUESTIONS)
                yield self._now("edx.forum.thread.created", {"title": question})
