"""A review warns of what will probably not deliver in a configuration that can be used."""

from __future__ import annotations

import pytest

from eventtracking_core.config import build, read
from eventtracking_core.config.review import review


class Doubtful:
    """A backend that has doubts."""

    def send(self, event):
        """Take an event."""

    def review(self):
        """Return the doubts."""
        return ["its topic has one replica"]


@pytest.fixture
def warnings():
    def reviewed(config):
        configuration = read(config)
        problems = review(configuration, build(configuration).root)
        return {problem.path: problem.message for problem in problems}

    return reviewed


def test_a_configuration_that_delivers_has_no_warnings(warnings):
    assert warnings({"backends": {"memory": "memory"}}) == {}


def test_without_a_backend_events_go_nowhere(warnings):
    assert "events go nowhere" in warnings({"processors": []})[""]


def test_a_variable_without_braces_is_taken_as_text(warnings):
    add = {"type": "add", "fields": {"context.host": "$HOST"}}
    config = {"processors": [add], "backends": {"memory": "memory"}}
    [(path, message)] = warnings(config).items()
    assert path.startswith("processors[0].fields")
    assert message == "is taken as it stands: a variable is written ${NAME}"


def test_a_backend_says_what_it_doubts(warnings):
    assert warnings({"backends": {"topic": Doubtful()}}) == {
        "backends.topic": "its topic has one replica"
    }


def test_options_of_delivery_have_no_effect_inline(warnings):
    node = {"type": "memory", "delivery": {"max_batch_size": 9}}
    assert warnings({"backends": {"memory": node}}) == {
        "backends.memory.delivery": ("has no effect on inline delivery: set mode to queue or spool")
    }


def test_a_misspelt_variable_of_the_environment_is_named(warnings, monkeypatch):
    monkeypatch.setenv("EVENTTRACKING_MAX_QUEUE_SIZ", "9")
    assert warnings({"backends": {"memory": "memory"}}) == {
        "EVENTTRACKING_MAX_QUEUE_SIZ": (
            "unknown variable; did you mean 'EVENTTRACKING_MAX_QUEUE_SIZE'?"
        )
    }


def test_a_switch_of_the_environment_has_to_be_one(warnings, monkeypatch):
    monkeypatch.setenv("EVENTTRACKING_DISABLED", "maybe")
    assert "expected one of" in warnings({"backends": {"m": "memory"}})["EVENTTRACKING_DISABLED"]


def test_personal_data_are_checked_with_types_alone(warnings):
    node = {"accepts": ["email"], "backends": {"memory": "memory"}}
    assert "--types" in warnings({"backends": {"part": node}})["backends.part.accepts"]
