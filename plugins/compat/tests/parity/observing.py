"""A tracker of either distribution, set up in Django, and what it shows."""

from __future__ import annotations

import logging
import re
import sys
import types
from datetime import datetime

calls = []
analytics = types.ModuleType("analytics")
analytics.track = lambda *args, **kwargs: calls.append([list(args), kwargs])
sys.modules["analytics"] = analytics

import django
from celery import Celery
from django.conf import settings


class Memory:
    """Keeps what it gets."""

    def __init__(self, label="memory", order=None, **options):
        self.label, self.options, self.events = label, options, []
        self.order = order

    def send(self, event):
        self.events.append(event)
        if self.order is not None:
            self.order.append(self.label)


MEMORY = "observing.Memory"
TREE = {
    "logs": {"ENGINE": "eventtracking.backends.logger.LoggerBackend", "OPTIONS": {"name": "tl"}},
    "nested": {
        "ENGINE": "eventtracking.backends.routing.RoutingBackend",
        "OPTIONS": {
            "backends": {"memory": {"ENGINE": MEMORY, "OPTIONS": {"label": "inner"}}},
            "processors": [
                {
                    "ENGINE": "eventtracking.processors.whitelist.NameWhitelistProcessor",
                    "OPTIONS": {"whitelist": ["kept"]},
                }
            ],
        },
    },
}
settings.configure(
    INSTALLED_APPS=["eventtracking.django.apps.EventTrackingConfig"],
    DATABASES={},
    CELERY_TASK_ALWAYS_EAGER=True,
    EVENT_TRACKING_ENABLED=True,
    EVENT_TRACKING_BACKENDS=TREE,
    EVENT_TRACKING_PROCESSORS=[],
)
app = Celery("parity", broker="memory://")
app.conf.task_always_eager = True
app.set_default()
django.setup()

from eventtracking.tracker import Tracker


class Failing:
    def __init__(self, error=ValueError("no")):
        self.error = error

    def send(self, event):
        raise self.error

    __call__ = send


class Log(logging.Handler):
    """Collects the messages of the package, with the loggers' names and levels."""

    def __init__(self, *names):
        super().__init__()
        self.lines = []
        self.names = names

    def emit(self, record):
        message = re.sub(" at 0x[0-9a-f]+", "", record.getMessage())
        self.lines.append([record.name, record.levelname, message, bool(record.exc_info)])

    def __enter__(self):
        for name in self.names:
            logging.getLogger(name).addHandler(self)
            logging.getLogger(name).setLevel(logging.INFO)
        return self

    def __exit__(self, *_):
        for name in self.names:
            logging.getLogger(name).removeHandler(self)


def raised(function, *args, **kwargs):
    """The exception of a call: its class and message; or its result."""
    try:
        return ["returned", shown(function(*args, **kwargs))]
    except Exception as error:
        return [type(error).__name__, str(error)]


def shown(value):
    """A value as JSON, without what differs in each run."""
    if isinstance(value, dict):
        return {str(key): shown(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [shown(each) for each in value]
    if isinstance(value, datetime):
        return f"<datetime {value.tzname()}>"
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return f"<{type(value).__name__}>"


def emitted(*processors, events=(("name", {"a": 1}),), contexts=()):
    """What a backend gets of events."""
    memory = Memory()
    tracker = Tracker({"memory": memory}, processors=list(processors))
    for name, context in contexts:
        tracker.enter_context(name, context)
    for event in events:
        tracker.emit(*event)
    return shown(memory.events)
