"""A small site that uses event-tracking; it never changes while the requirement does.

It answers requests, and prints what its log and its backends got, as JSON.
"""

import json
import logging
import sys
from datetime import datetime

from django.conf import settings
from django.http import HttpResponse
from django.urls import path

RECORDS = []


class Keep:
    """A backend of the site's own."""

    def send(self, event):
        RECORDS.append(event)


class Anonymize:
    """A processor of the site's own."""

    def __call__(self, event):
        event["context"].pop("email", None)
        return event


class Context:
    """Middleware of the site's own, as edx-platform has it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        from eventtracking import tracker

        fields = {"path": request.path, "user_id": 7, "email": "a@example.org"}
        with tracker.get_tracker().context("edx.request", fields):
            return self.get_response(request)


def enrol(request, course):
    from eventtracking import tracker

    tracker.emit("edx.course.enrollment.activated", {"course_id": course, "mode": "audit"})
    tracker.emit("edx.ignored", {})
    return HttpResponse("enrolled")


urlpatterns = [path("enrol/<str:course>/", enrol)]

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={},
    INSTALLED_APPS=["eventtracking.django.apps.EventTrackingConfig"],
    MIDDLEWARE=["campus_site.Context"],
    ROOT_URLCONF="campus_site",
    SECRET_KEY="not-a-secret",
    USE_TZ=True,
    EVENT_TRACKING_ENABLED=True,
    EVENT_TRACKING_BACKENDS={
        "tracking_logs": {
            "ENGINE": "eventtracking.backends.routing.RoutingBackend",
            "OPTIONS": {
                "backends": {
                    "logger": {
                        "ENGINE": "eventtracking.backends.logger.LoggerBackend",
                        "OPTIONS": {"name": "tracking", "max_event_size": 50_000},
                    },
                    "keep": {"ENGINE": "campus_site.Keep"},
                },
                "processors": [
                    {"ENGINE": "campus_site.Anonymize"},
                    {
                        "ENGINE": "eventtracking.processors.regex_filter.RegexFilter",
                        "OPTIONS": {
                            "filter_type": "blocklist",
                            "regular_expressions": [r"edx\.ignored"],
                        },
                    },
                ],
            },
        },
    },
    EVENT_TRACKING_PROCESSORS=[],
)


def main():
    import django

    sys.modules["campus_site"] = sys.modules["__main__"]
    django.setup()
    from django.test import Client

    lines = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(json.loads(record.getMessage()))
    logging.getLogger("tracking").addHandler(handler)
    logging.getLogger("tracking").setLevel(logging.INFO)
    for course in ("c1", "c2"):
        assert Client().get(f"/enrol/{course}/").content == b"enrolled"
    for event in (*lines, *RECORDS):
        time = event.pop("timestamp")
        assert isinstance(time, datetime) or datetime.fromisoformat(time)
    json.dump({"lines": lines, "records": RECORDS}, sys.stdout)


if __name__ == "__main__":
    main()
