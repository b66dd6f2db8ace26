"""What baggage and the resource put into the context of events."""

from __future__ import annotations

import pytest
from opentelemetry.baggage import set_baggage
from opentelemetry.context import attach, detach

from eventtracking_core import ConfigurationError, Tracker
from eventtracking_core.backends.memory import MemoryBackend
from eventtracking_otel import Baggage


@pytest.fixture
def baggage():
    """Puts members into the present baggage."""
    tokens = []

    def put(**members):
        for key, value in members.items():
            tokens.append(attach(set_baggage(key, value)))

    yield put
    for token in reversed(tokens):
        detach(token)


def test_only_listed_members_of_the_baggage_are_taken(baggage):
    baggage(tenant="t1", password="secret")
    assert Baggage(["tenant", "campaign"])() == {"tenant": "t1"}


def test_without_baggage_there_is_nothing(baggage):
    assert Baggage(["tenant"])() == {}


def test_long_members_are_cut(baggage):
    baggage(tenant="x" * 100_000)
    assert Baggage(["tenant"])() == {"tenant": "x" * 1024}


def test_the_allow_list_is_required():
    for options in ({}, {"keys": []}, {"keys": "tenant"}):
        with pytest.raises(ConfigurationError, match="keys"):
            Tracker().configure({"context": [{"type": "otel.baggage", **options}]})


def test_events_carry_baggage_below_what_is_entered(baggage):
    memory = MemoryBackend()
    tracker = Tracker()
    tracker.configure(
        {
            "context": [{"type": "otel.baggage", "keys": ["tenant", "plan"]}, "otel.resource"],
            "backends": {"memory": memory},
        }
    )
    baggage(tenant="t1", plan="free")
    with tracker.context(plan="pro"):
        tracker.emit("edx.problem.check")
    context = memory.events[0]["context"]
    assert (context["tenant"], context["plan"]) == ("t1", "pro")


@pytest.mark.drivers
@pytest.mark.parametrize(
    ("environment", "values"),
    [
        ({}, {}),
        ({"OTEL_SERVICE_NAME": "lms"}, {"service_name": "lms"}),
        (
            {"OTEL_RESOURCE_ATTRIBUTES": "service.name=cms, service.version=1%2C2,a=b,,=,c"},
            {"service_name": "cms", "service_version": "1,2"},
        ),
        (
            {"OTEL_RESOURCE_ATTRIBUTES": "service.name=cms", "OTEL_SERVICE_NAME": "lms"},
            {"service_name": "lms"},
        ),
    ],
)
def test_the_resource_comes_from_the_environment(program, environment, values):
    found, _ = program("resource", **environment)
    assert found["before"] == values


def test_the_resource_of_the_sdk_wins_as_soon_as_there_is_one(program):
    found, _ = program("resource", OTEL_SERVICE_NAME="lms")
    assert found["after"] == {"service_name": "sdk", "service_version": "3"}


def test_a_service_that_nobody_named_has_no_name(program):
    """The SDK calls it `unknown_service`, which would hide what another provider knows."""
    assert program("resource")[0]["unnamed"] == {}


def test_other_attributes_of_the_resource_can_be_named(program):
    found, _ = program("resource", OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=prod")
    assert found["named"] == {"deployment_environment_name": "prod"}
