"""Run the conformance suite for an installed backend, by name.

`pytest --pyargs eventtracking_core.testing.conformance --eventtracking-backend carbon
--eventtracking-options '{"host": "127.0.0.1"}'`
"""

from __future__ import annotations

from typing import Any

import pytest

from eventtracking_core.components import Backend, BatchBackend
from eventtracking_core.config import build, read
from eventtracking_core.errors import ConfigurationError
from eventtracking_core.testing._backends import BackendConformance

__all__ = ["TestBackend"]


@pytest.fixture(scope="session")
def described(pytestconfig: pytest.Config) -> dict[str, Any]:
    """The configuration of the backend that the command line names."""
    name = pytestconfig.getoption("eventtracking_backend")
    if name is None:
        _give_up("say which backend: --eventtracking-backend NAME")
    described = {**pytestconfig.getoption("eventtracking_options"), "type": name}
    try:
        _built(described)
    except ConfigurationError as error:
        _give_up(str(error))
    return described


class TestBackend(BackendConformance):
    """The backend that the command line names, with the options that it gives."""

    @pytest.fixture(autouse=True)
    def _described(self, described: dict[str, Any]) -> None:
        self._configuration = described

    def make_backend(self) -> Backend | BatchBackend:
        """Return the backend, as a configuration would have it."""
        return _built(self._configuration)


def _built(described: dict[str, Any]) -> Backend | BatchBackend:
    return build(read({"backends": {"tested": described}})).root.backends["tested"]


def _give_up(message: str) -> None:
    pytest.exit(message, returncode=pytest.ExitCode.USAGE_ERROR)
