"""`eventtracking migrate`: the native configuration for the settings of event-tracking."""

from __future__ import annotations

import tomllib

import pytest

import eventtracking_core as et

BACKENDS = "eventtracking.backends"
FILTER = "eventtracking.processors.regex_filter.RegexFilter"
SETTINGS = f"""
EVENT_TRACKING_ENABLED = True
EVENT_TRACKING_PROCESSORS = [
    {{"ENGINE": "eventtracking.processors.whitelist.NameWhitelistProcessor",
      "OPTIONS": {{"whitelist": ["edx.a", 'quoted "b"']}}}},
]
EVENT_TRACKING_BACKENDS = {{
    "b.dotted": {{"ENGINE": "{BACKENDS}.logger.LoggerBackend", "OPTIONS": {{"name": "tracking"}}}},
    "a": {{
        "ENGINE": "{BACKENDS}.routing.RoutingBackend",
        "OPTIONS": {{
            "backends": {{
                "log": {{"ENGINE": "{BACKENDS}.logger.LoggerBackend", "OPTIONS": {{"name": "a"}}}},
            }},
            "processors": [
                {{"ENGINE": "{FILTER}",
                  "OPTIONS": {{"filter_type": "allowlist", "regular_expressions": [r"edx\\."]}}}},
            ],
        }},
    }},
}}
"""
HARD = f"""
EVENT_TRACKING_ENABLED = True
EVENT_TRACKING_BACKENDS = {{
    "bus": {{"ENGINE": "{BACKENDS}.event_bus.EventBusRoutingBackend", "OPTIONS": {{}}}},
    "made": object(),
    "mongo": {{
        "ENGINE": "{BACKENDS}.mongodb.MongoBackend",
        "OPTIONS": {{"user": "tracker", "password": "hunter2", "extra": {{"w": 0}}}},
    }},
    "log": {{"ENGINE": "{BACKENDS}.logger.LoggerBackend", "OPTIONS": {{"name": "x", "odd": 1}}}},
}}
"""


@pytest.fixture
def migrate(run, tmp_path, monkeypatch):
    """Runs the command for the text of a settings module."""

    def ran(settings):
        monkeypatch.syspath_prepend(tmp_path)
        name = f"settings_{abs(hash(settings))}"
        (tmp_path / f"{name}.py").write_text(settings, encoding="utf-8")
        return run("migrate", name)

    return ran


def test_the_toml_is_a_configuration_that_does_the_same(migrate):
    ran = migrate(SETTINGS)
    assert (ran.code, ran.err) == (0, "")
    config = tomllib.loads(ran.out)
    tracker = et.Tracker()
    tracker.configure(config)
    assert list(tracker.backends) == ["a", "b.dotted"]
    assert config["processors"] == [{"type": "name_allowlist", "names": ["edx.a", 'quoted "b"']}]
    [prefix] = config["backends"]["a"]["processors"]
    assert (prefix["match"], prefix["regular_expressions"]) == ("prefix", ["edx\\."])


def test_it_says_what_it_could_not_translate_and_prints_no_secret(migrate):
    ran = migrate(HARD)
    assert ran.code == 1
    assert "hunter2" not in ran.out + ran.err
    config = tomllib.loads(ran.out)
    assert config["backends"]["mongo"] == {
        "type": "mongo",
        "user": "tracker",
        "password": "${MONGO_PASSWORD}",
    }
    for line in (
        "backends.bus: not translated: there is no native type for the event bus",
        "backends.made: not translated: an object that Python code made, or no ENGINE",
        "backends.mongo.password: a secret: set the environment variable MONGO_PASSWORD",
        "backends.log.odd: unknown option",
    ):
        assert line in ran.err


def test_a_module_that_cannot_be_imported_is_named(run):
    ran = run("migrate", "nowhere.settings")
    assert ran.code == 1
    assert "nowhere.settings cannot be imported: ModuleNotFoundError" in ran.err
