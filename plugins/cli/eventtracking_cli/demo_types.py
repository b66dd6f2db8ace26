"""The event types of the demonstration, as an application would register them."""

from __future__ import annotations

from typing import Final

from eventtracking_core import Tracker
from eventtracking_core.registry import FieldDoc

__all__ = ["COURSE", "COURSE_FIELDS", "SESSION", "SESSION_FIELDS", "register_types"]

COURSE: Final = "The course in which it happened."
SESSION: Final = "The learner's visit."

COURSE_FIELDS: Final = {
    "course_id": FieldDoc("course_id", "The course's key.", type="string"),
    "org_id": FieldDoc("org_id", "The organisation that offers it.", type="string"),
}
SESSION_FIELDS: Final = {
    "user_id": FieldDoc("user_id", "The learner.", type="integer", pii="id"),
    "session": FieldDoc("session", "The visit's random key.", type="string"),
    "ip": FieldDoc("ip", "The learner's address; redacted.", type="string", pii="ip"),
    "agent": FieldDoc("agent", "The browser.", type="string"),
}

_VIDEO: Final = {"video_id": "The unit of the video.", "duration": "Its length in seconds."}
_PROBLEM: Final = {"problem_id": "The problem."}

_TYPES: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "edx.session.started": ("A learner opened the course.", {"referer": "Where they came from."}),
    "edx.session.ended": ("A learner left the course.", {"seconds": "How long they stayed."}),
    "edx.course.unit.viewed": (
        "A learner opened a unit.",
        {"unit": "Its name.", "position": "Its place in the course, from 0."},
    ),
    "edx.video.played": (
        "A video started or continued.",
        {**_VIDEO, "position": "Seconds from the video's start."},
    ),
    "edx.video.paused": (
        "A video was paused.",
        {**_VIDEO, "position": "Seconds from the video's start."},
    ),
    "edx.video.position.changed": (
        "A learner moved within a video.",
        {**_VIDEO, "from": "Seconds from the video's start, before.", "to": "And after."},
    ),
    "edx.video.completed": ("A video was watched to its end.", _VIDEO),
    "edx.problem.checked": (
        "An answer was submitted and graded.",
        {
            **_PROBLEM,
            "attempts": "Which attempt it was, from 1.",
            "correct": "Whether it was right.",
        },
    ),
    "edx.problem.answer.shown": ("A learner asked for the answer and saw it.", _PROBLEM),
    "edx.problem.hint.shown": (
        "A learner asked for a hint.",
        {**_PROBLEM, "hint": "Which hint, from 1."},
    ),
    "edx.grade.changed": (
        "A problem changed a learner's grade.",
        {**_PROBLEM, "earned": "Points, from 0 to 1."},
    ),
    "edx.forum.thread.viewed": ("A learner read a discussion.", _PROBLEM),
    "edx.forum.thread.created": ("A learner started a discussion.", {"title": "Its title."}),
    "edx.bookmark.added": ("A learner bookmarked a unit.", {"unit": "Its name."}),
    "browser.heartbeat": ("The page is still open.", {"visible": "Whether it can be seen."}),
}


def register_types(tracker: Tracker) -> None:
    """Document the events of the demonstration."""
    for name, (description, fields) in _TYPES.items():
        tracker.register(name, description, fields)
