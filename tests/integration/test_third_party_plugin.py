"""A plugin by somebody else, as it would be published: built, installed, found by its name."""

from __future__ import annotations

import socket
import time

import pytest

PLUGIN = '''\
# eventtracking_carbon.py
"""Count events in Graphite."""
import socket

from eventtracking_core import Event, hookimpl


class CarbonBackend:
    """One counter line an event, over UDP."""

    def __init__(self, host: str, port: int = 2003, prefix: str = "events") -> None:
        self._address, self._prefix = (host, port), prefix

    def send(self, event: Event) -> None:
        line = f"{self._prefix}.{event['name']} 1 {event['timestamp'].timestamp():.0f}\\n"
        with socket.socket(type=socket.SOCK_DGRAM) as s:
            s.sendto(line.encode(), self._address)


@hookimpl
def eventtracking_backends():
    return {"carbon": CarbonBackend}
'''


@pytest.fixture(scope="module")
def carbon(plugin_wheel, pip_install):
    wheel = plugin_wheel("eventtracking-carbon", 'carbon = "eventtracking_carbon"', PLUGIN)
    return pip_install(wheel)


@pytest.fixture
def graphite():
    """A UDP socket that counters are sent to."""
    with socket.socket(type=socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(30)
        yield server


def backends(**options):
    return {"backends": {"counter": {"type": "carbon", **options}}}


def test_an_installed_plugin_is_found_by_its_name_and_gets_the_events(
    carbon, graphite, configure_and_emit
):
    _, port = graphite.getsockname()
    ran = configure_and_emit(carbon, backends(host="127.0.0.1", port=port, prefix="lms"))
    assert (ran.problems, ran.delivered) == ([], 1)

    name, count, moment = graphite.recv(1024).decode().split()
    assert (name, count) == ("lms.edx.problem.check", "1")
    assert abs(int(moment) - time.time()) < 60


def test_its_constructor_is_the_schema_of_its_options(carbon, configure_and_emit):
    ran = configure_and_emit(carbon, backends(prot=2003, port="swordfish"))
    assert ran.problems == [
        "backends.counter.prot: unknown option; did you mean 'port'?",
        "backends.counter.port: expected int, got str",
        "backends.counter.host: is required",
    ]


def test_its_port_may_come_from_the_environment(carbon, graphite, configure_and_emit):
    _, port = graphite.getsockname()
    config = backends(host="${GRAPHITE_HOST:-127.0.0.1}", port="${GRAPHITE_PORT}")
    ran = configure_and_emit(carbon, config, GRAPHITE_PORT=str(port))
    assert ran.problems == []
    assert graphite.recv(1024).startswith(b"events.edx.problem.check 1 ")


def test_a_misspelt_name_is_answered_with_the_closest_one_installed(carbon, configure_and_emit):
    ran = configure_and_emit(carbon, {"backends": {"counter": {"type": "cabron"}}})
    assert len(ran.problems) == 1
    assert (
        "unknown backend 'cabron'; did you mean 'carbon'? (installed: async_router, carbon,"
        in ran.problems[0]
    )
    assert "eventtracking_carbon" not in ran.modules
