"""The pytest plugin: captured events, and what the conformance suites are run for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from eventtracking_core.testing import CapturedEvents, FrozenClock

__all__ = [
    "captured_events",
    "frozen_events",
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
]

_KINDS: Final = {
    "backend": "backend",
    "processor": "processor",
    "provider": "context provider",
    "metadata-store": "metadata store",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options to pytest's."""
    group = parser.getgroup("eventtracking")
    for kind, noun in _KINDS.items():
        group.addoption(
            f"--eventtracking-{kind}",
            metavar="NAME",
            help=f"the type of the {noun} that eventtracking_core.testing.conformance is run for",
        )
    group.addoption(
        "--eventtracking-options",
        metavar="JSON",
        type=_options,
        default={},
        help="its options, as a JSON object; the values may be ${VARIABLES} of the environment",
    )
    group.addoption(
        "--eventtracking-strict",
        action="store_true",
        help="fail a test in which a tracker warns of an event: invalid, or of no registered type",
    )
    group.addoption(
        "--eventtracking-coverage",
        action="store_true",
        help="say at the end which registered event types and fields the tests emitted",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Add what is asked for."""
    if config.getoption("eventtracking_strict"):
        from eventtracking_core.testing._strict import Strict  # noqa: PLC0415  rarely asked for

        config.pluginmanager.register(Strict(), "eventtracking-strict")
    if config.getoption("eventtracking_coverage"):
        from eventtracking_core.testing._coverage import Coverage  # noqa: PLC0415  rarely asked for

        config.pluginmanager.register(Coverage(), "eventtracking-coverage")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of the conformance suites, keep those of what the command line names."""
    kinds = {item: kind for item in items if (kind := _conformance_kind(item))}
    if kinds:
        from eventtracking_core.testing.conformance import named  # noqa: PLC0415  has the suites

        wanted = named(config)
        unwanted = [item for item, kind in kinds.items() if kind not in wanted]
        config.hook.pytest_deselected(items=unwanted)
        items[:] = [item for item in items if kinds.get(item) in {None, *wanted}]


@pytest.fixture
def captured_events() -> Iterator[CapturedEvents]:
    """The events that the test's code emits on the default tracker; its backends get none."""
    from eventtracking_core.testing import capture  # noqa: PLC0415  most tests have no use for it

    with capture() as events:
        yield events


@pytest.fixture
def frozen_events() -> Iterator[FrozenClock]:
    """Give events the same ids and times in every run; the clock can be made to tick."""
    from eventtracking_core.testing import frozen  # noqa: PLC0415  most tests have no use for it

    with frozen() as clock:
        yield clock


def _conformance_kind(item: pytest.Item) -> str | None:
    """Return the kind of component that a test of the suites is for."""
    suite = getattr(item, "cls", None)
    ours = getattr(suite, "__module__", "") == "eventtracking_core.testing.conformance"
    return getattr(suite, "kind", None) if ours else None


def _options(text: str) -> dict[str, Any]:
    import json  # noqa: PLC0415  most runs of pytest have no use for it
    from argparse import ArgumentTypeError  # noqa: PLC0415  pytest has imported it

    try:
        options = json.loads(text)
    except ValueError:
        options = None
    if not isinstance(options, dict):
        raise ArgumentTypeError("expected a JSON object")
    return options
