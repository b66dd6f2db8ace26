"""A Django project in the process of the tests."""

from __future__ import annotations

import sys
from pathlib import Path

import django
import pytest
from django.conf import empty, settings
from django.core.management import call_command
from django.test.utils import setup_test_environment, teardown_test_environment

import eventtracking_core as et
from eventtracking_core.backends.memory import MemoryBackend

HERE = Path(__file__).parent

if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

settings._wrapped = empty  # noqa: SLF001  tests of values configure Django without a project
settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "file:default?mode=memory"},
        "other": {"ENGINE": "django.db.backends.sqlite3", "NAME": "file:other?mode=memory"},
    },
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "eventtracking_django",
    ],
    MIDDLEWARE=[
        "eventtracking_django.middleware.EventTrackingMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    ROOT_URLCONF="project_urls",
    SECRET_KEY="not-a-secret",
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    USE_I18N=False,
    USE_TZ=True,
)
django.setup()


@pytest.fixture(scope="session", autouse=True)
def test_environment():
    setup_test_environment()
    yield
    teardown_test_environment()


@pytest.fixture
def override():
    """Change settings for the rest of a test."""
    from django.test import override_settings

    active = []

    def change(**values):
        changed = override_settings(**values)
        changed.enable()
        active.append(changed)

    yield change
    for each in reversed(active):
        each.disable()


@pytest.fixture
def memory(override):
    """The backend of a project's default tracker."""
    backend = MemoryBackend()
    override(EVENTTRACKING={"backends": {"memory": backend}})
    yield backend
    et.get_tracker().flush(5)


@pytest.fixture
def contexts(memory):
    """Return the contexts of the events so far, by name."""
    return lambda: {event["name"]: event["context"] for event in memory.events}


@pytest.fixture
def database():
    """A new database, with the tables of the applications."""
    from django.db import connections

    for alias in ("default", "other"):
        connections[alias].close()
        call_command("migrate", database=alias, verbosity=0)
    yield connections["default"]
    for alias in ("default", "other"):
        connections[alias].rollback() if connections[alias].in_atomic_block else None
        connections[alias].connection and connections[alias].connection.close()
        connections[alias].connection = None
