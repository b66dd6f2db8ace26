"""The pytest plugin: which backend `eventtracking_core.testing.conformance` is run for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

__all__ = ["pytest_addoption"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options to pytest's."""
    group = parser.getgroup("eventtracking")
    group.addoption(
        "--eventtracking-backend",
        metavar="NAME",
        help="the type of the backend that eventtracking_core.testing.conformance is run for",
    )
    group.addoption(
        "--eventtracking-options",
        metavar="JSON",
        type=_options,
        default={},
        help="its options, as a JSON object; the values may be ${VARIABLES} of the environment",
    )


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
