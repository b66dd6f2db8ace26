"""Emit some enrolments, by their numbers."""

import sys

import campus  # noqa: F401  sets up Django

from eventtracking.tracker import get_tracker

tracker = get_tracker()
COURSE = "course-v1:edX+DemoX+Demo"
for number in range(int(sys.argv[1]), int(sys.argv[2])):
    context = {"course_id": COURSE, "user_id": 1, "username": "alice", "session": f"s{number}"}
    with tracker.context("request", {**context, "org_id": "edX"}):
        data = {"course_id": COURSE, "user_id": 1, "mode": "audit"}
        tracker.emit("edx.course.enrollment.activated", data)
sys.exit(0 if tracker.flush(30) else 1)
