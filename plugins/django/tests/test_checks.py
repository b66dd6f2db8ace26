"""System checks and the management command."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import override_settings
from waiting import DEADLINE

from eventtracking_django import checks, project
from eventtracking_django.middleware import EventTrackingMiddleware

WRONG = {
    "backends": {
        "a": {"type": "mogno"},
        "b": {"type": "memory", "prot": 1},
        "c": {"processors": [{"type": "sample", "rate": "often"}], "backends": {}},
    }
}


def found(**options):
    return {(message.id, message.msg) for message in run_checks(tags=["eventtracking"], **options)}


@pytest.fixture
def configured(monkeypatch):
    """Check a configuration which no tracker uses."""

    def use(configuration):
        monkeypatch.setattr("eventtracking_django.checks.configuration", lambda: configuration)

    return use


def test_every_problem_is_reported_with_its_path(configured):
    configured(WRONG)
    problems = {text.partition(":")[0]: id_ for id_, text in found()}
    assert problems == dict.fromkeys(
        ["backends.a.type", "backends.b.prot", "backends.c.processors[0].rate"],
        "eventtracking.E001",
    )


EXPECTED = "configuration: expected a table or the path of a file"


@pytest.mark.once
@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (
            {"EVENTTRACKING": [1, 2]},
            f"{EXPECTED}, got list",
        ),
        ({"EVENTTRACKING": []}, f"{EXPECTED}, got list"),
        ({"EVENTTRACKING": 5}, f"{EXPECTED}, got int"),
        ({"EVENTTRACKING": "nowhere.toml"}, "nowhere.toml: cannot be read"),
        ({"EVENT_TRACKING_BACKENDS": ["a"]}, "backends: expected a table of backends by name"),
        ({"EVENT_TRACKING_BACKENDS": {1: 5, "a": 5}}, "backends.1: "),
        ({"EVENT_TRACKING_PROCESSORS": {"a": 5}}, "processors: "),
    ],
)
def test_a_setting_of_another_kind_is_reported(wrong, problem, tmp_path):
    lines = [f"{name} = {value!r}" for name, value in wrong.items()]
    program = [
        "SECRET_KEY, DATABASES = 'x', {}",
        "INSTALLED_APPS = ['eventtracking_django']",
        f"MIDDLEWARE = [{checks.MIDDLEWARE!r}]",
        *lines,
    ]
    (tmp_path / "wrong_settings.py").write_text("\n".join(program))
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "wrong_settings"}
    checked = subprocess.run(
        [sys.executable, "-m", "django", "check"],
        cwd=tmp_path, env=environment, text=True, capture_output=True,
        check=False, timeout=DEADLINE,
    )  # fmt: skip
    assert "eventtracking.E001) " + problem in checked.stderr
    assert "Traceback" not in checked.stderr


@pytest.mark.parametrize("name", [5, "a b;", "\xe9"])
def test_a_cookie_that_cannot_be_is_reported_and_stops_the_server(name):
    with override_settings(EVENTTRACKING_ANONYMOUS_COOKIE=name):
        assert "eventtracking.E002" in {id_ for id_, _ in found()}
        with pytest.raises(ImproperlyConfigured, match="EVENTTRACKING_ANONYMOUS_COOKIE"):
            EventTrackingMiddleware(lambda request: None)


def test_a_project_without_configuration_or_middleware_is_warned():
    assert {id_ for id_, _ in found()} == {"eventtracking.W001"}
    with override_settings(MIDDLEWARE=[], EVENTTRACKING={"backends": {"null": "null"}}):
        assert {id_ for id_, _ in found()} == {"eventtracking.W003"}


def test_what_will_not_deliver_is_a_warning(configured, tmp_path):
    configured({"backends": {"store": {"type": "sqlite", "path": str(tmp_path)}}})
    assert ("eventtracking.W002", "backends.store.path: is a directory: name a file") in found()


def test_deploying_reaches_the_backends_and_prints_no_secret(tmp_path, monkeypatch):
    monkeypatch.setattr("eventtracking_django.checks.CONNECT_TIMEOUT", 1.0)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = unused.getsockname()[1]
        backends = {
            "a": {"type": "redis", "url": f"redis://u:hidden@127.0.0.1:{closed}/0"},
            "b": {
                "ENGINE": "eventtracking.backends.mongodb.MongoBackend",
                "OPTIONS": {"host": "127.0.0.1", "port": closed, "password": "hidden", "user": "u"},
            },
            "c": {"type": "sqlite", "path": str(tmp_path / "events.db")},
            "d": "memory",
        }
        with override_settings(EVENTTRACKING={"backends": backends}):
            warnings = sorted(
                text for id_, text in found(include_deployment_checks=True) if "W004" in id_
            )
    assert [text.partition(":")[0] for text in warnings] == ["backends.a", "backends.b"]
    assert "hidden" not in str(warnings)


def test_the_command_line_uses_the_configuration_of_the_project(capsys, tmp_path):
    store = {"type": "sqlite", "path": str(tmp_path / "events.db")}
    with override_settings(EVENTTRACKING={"backends": {"store": store}}):
        assert project.configuration()
        call_command("eventtracking", "emit", "shop.sold", "price=3")
        capsys.readouterr()
        call_command("eventtracking", "tree", "--json")
        assert "store" in capsys.readouterr().out
        call_command("eventtracking", "events", "list", "--json", "--from", store["path"])
    [event] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert event["name"] == "shop.sold"
    assert event["data"] == {"price": 3}


def test_a_verb_that_fails_fails_the_command(configured, capsys):
    with pytest.raises(SystemExit) as end:
        call_command("eventtracking", "no-such-verb")
    assert end.value.code == 2
