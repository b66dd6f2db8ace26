"""Rules for every test: Hypothesis has no time limits, servers are marked, CI skips nothing."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Generator
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from waiting import wait_until

from eventtracking_core import diagnostics

pytest_plugins = ["broker_fixtures", "otel_fixtures", "service_fixtures", "segment_fixtures"]

# A job in the background, or of `nohup`, ignores some of these signals, and so would every program
# that a test ends by one.
for number, handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGQUIT, signal.SIG_DFL),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)

settings.register_profile(
    "untimed", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("untimed")

# Fixtures that start a server or a browser. Their tests are marked, and run on one Python only.
_SERVERS = frozenset(
    {
        "amqp_url",
        "broker",
        "chromium",
        "clickhouse",
        "kafka",
        "mariadb",
        "mongo_uri",
        "mongod",
        "otlp_tap",
        "postgres",
        "rabbitmq",
        "ralph",
        "redis_url",
        "s3",
        "shared_mongod",
        "shared_valkey",
        "valkey",
    }
)

# Those that take seconds to start. Their tests follow each other: a worker of xdist gets tests in
# runs, so mostly only one of them starts such a server.
_SLOW_TO_START = (
    *("clickhouse", "rabbitmq", "amqp_url", "amqp", "chromium", "s3"),
    *("mariadb", "postgres", "postgresql", "shared_mongod", "mongo_uri"),
)

_Report = TypeVar("_Report", pytest.TestReport, pytest.CollectReport)

_REQUIRED = "EVENTTRACKING_REQUIRE_SERVICES"
_NOTHING_MAY_SKIP = os.environ.get(_REQUIRED, "0") not in {"", "0"}


@pytest.fixture(scope="session")
def eventually() -> Callable[..., None]:
    """Waits until a condition holds."""
    return wait_until


@pytest.fixture(autouse=True)
def _logs_anew() -> None:
    """A problem is logged once in 20 seconds: another test's must not hide this one's."""
    diagnostics._seen.clear()  # noqa: SLF001  applications have no use for it


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep collected tests from the garbage collector: it would visit them during each test."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    used = {item: _used_fixtures(item) for item in items}
    for item in items:
        if not _SERVERS.isdisjoint(used[item]):
            item.add_marker("servers")
    items.sort(key=lambda item: _place(used[item]))


def _used_fixtures(item: pytest.Item) -> frozenset[str]:
    """Return the names of a test's fixtures; those that a parameter names as well."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    named = [value for value in parameters.values() if isinstance(value, str)]
    return frozenset([*getattr(item, "fixturenames", ()), *named])


def _place(used: frozenset[str]) -> int:
    """Return where a test comes: those of the slowest server first, those without one last."""
    slow = (place for place, name in enumerate(_SLOW_TO_START) if name in used)
    return next(slow, len(_SLOW_TO_START))


# First of all wrappers, so that an expected failure has been told apart from a skip.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _no_skip((yield))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _no_skip((yield))


def _no_skip(report: _Report) -> _Report:
    if _NOTHING_MAY_SKIP and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason} ({_REQUIRED} is set: nothing may skip)"
    return report
