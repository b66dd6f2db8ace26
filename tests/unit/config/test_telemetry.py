"""The root key `telemetry`, and its variables."""

from __future__ import annotations

import pytest

from eventtracking_core import ConfigurationError
from eventtracking_core.config import build, read
from eventtracking_core.config.options import Problems
from eventtracking_core.config.settings import read_settings
from eventtracking_core.settings import Telemetry


def telemetry(**root):
    build(read(root))
    _, _, _, telemetry, _ = read_settings(read(root).tree, Problems())
    return telemetry


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ({}, Telemetry(metrics=True, spans=False)),
        ({"telemetry": True}, Telemetry(metrics=True, spans=False)),
        ({"telemetry": False}, Telemetry(metrics=False, spans=False)),
        ({"telemetry": {}}, Telemetry(metrics=True, spans=False)),
        ({"telemetry": {"spans": True}}, Telemetry(metrics=True, spans=True)),
        ({"telemetry": {"metrics": False}}, Telemetry(metrics=False, spans=False)),
    ],
)
def test_metrics_are_told_and_spans_are_not_unless_it_says_otherwise(root, expected):
    assert telemetry(**root) == expected


def test_the_environment_says_what_the_configuration_does_not(monkeypatch):
    monkeypatch.setenv("EVENTTRACKING_TELEMETRY_METRICS", "false")
    monkeypatch.setenv("EVENTTRACKING_TELEMETRY_SPANS", "true")
    assert telemetry() == Telemetry(metrics=False, spans=True)
    assert telemetry(telemetry={"spans": False}) == Telemetry(metrics=False, spans=False)
    assert telemetry(telemetry=False) == Telemetry(metrics=False, spans=False)


def test_a_variable_in_the_configuration_may_be_a_truth_value(monkeypatch):
    monkeypatch.setenv("SPANS", "true")
    assert telemetry(telemetry={"spans": "${SPANS}"}).spans is True
    assert telemetry(telemetry="${NO_TELEMETRY:-false}") == Telemetry(metrics=False, spans=False)


def test_what_is_wrong_is_told_with_its_path(monkeypatch):
    monkeypatch.setenv("EVENTTRACKING_TELEMETRY_METRICS", "perhaps")
    with pytest.raises(ConfigurationError) as caught:
        telemetry(telemetry={"spans": "yes", "traces": True})
    assert [problem.path for problem in caught.value.problems] == [
        "EVENTTRACKING_TELEMETRY_METRICS",
        "telemetry.spans",
        "telemetry.traces",
    ]
    with pytest.raises(ConfigurationError, match="telemetry: expected true, false, or a table"):
        telemetry(telemetry="sometimes")
