"""The settings of event-tracking's documentation, routed through Celery on a real broker."""

from __future__ import annotations

from pathlib import Path

import pytest

SITE = Path(__file__).parent / "openedx"
EMIT = """
import django
django.setup()
import eventtracking_core as et
with et.get_tracker().context("edx.course", {"course_id": "c1", "user_id": 7}):
    for name in ("activated", "deactivated", "mode_changed"):
        et.emit(f"edx.course.enrollment.{name}", {"mode": "audit"})
"""


@pytest.mark.parametrize("broker", ["amqp_url", "redis_url"])
def test_the_sample_reaches_mongodb_through_a_worker(
    example, mongo_database, broker, request, eventually
):
    site = example(
        SITE,
        DJANGO_SETTINGS_MODULE="lms.settings",
        EVENTTRACKING_SPOOL_DIRECTORY="spool",
        LMS_BROKER=request.getfixturevalue(broker),
        LMS_DATABASE=mongo_database.name,
        LMS_MONGO=request.getfixturevalue("mongo_uri"),
    )
    site.run("-c", EMIT)
    worker = site.start(
        *("-m", "celery", "--app", "lms", "worker", "--queues", "celery,events"),
        *("--concurrency", "1", "--without-gossip", "--without-mingle"),
    )
    eventually(lambda: mongo_database["caliper"].count_documents({}) == 2, worker.log)
    worker.end()
    found = list(mongo_database["caliper"].find().sort("_id"))
    assert [event["name"].rpartition(".")[2] for event in found] == ["activated", "deactivated"]
    for event in found:
        assert event["context"] == {"course_id": "c1", "user_id": 7}
        assert event["data"] == {"mode": "audit"}
    assert (site.directory / "tracking.log").read_text().count("edx.course.enrollment.") == 3
