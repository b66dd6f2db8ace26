"""A Django project in the process of the tests."""

from __future__ import annotations

import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

import django
import pytest
from django.conf import empty, settings
from django.core.management import call_command
from django.db import connections
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
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
        "other": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
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


ALIASES = ("default", "other")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """A database file with the tables of the applications."""
    path = tmp_path_factory.mktemp("migrated") / "shop.db"
    with stored_at(dict.fromkeys(ALIASES, path)):
        call_command("migrate", verbosity=0)
    return path


@pytest.fixture
def database(migrated, tmp_path):
    """New databases."""
    paths = {alias: tmp_path / f"{alias}.db" for alias in ALIASES}
    for path in paths.values():
        shutil.copy(migrated, path)
    with stored_at(paths):
        yield


@contextmanager
def stored_at(paths):
    """Let the databases be at other places."""
    connections.close_all()
    before = {alias: connections.settings[alias]["NAME"] for alias in paths}
    for alias, path in paths.items():
        connections.settings[alias]["NAME"] = str(path)
    try:
        yield
    finally:
        connections.close_all()
        for alias, name in before.items():
            connections.settings[alias]["NAME"] = name
