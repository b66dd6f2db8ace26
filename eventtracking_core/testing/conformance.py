"""Run the conformance suite for an installed component, by its name.

`pytest --pyargs eventtracking_core.testing.conformance --eventtracking-backend carbon
--eventtracking-options '{"host": "127.0.0.1"}'`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

import pytest

from eventtracking_core.components import Backend, BatchBackend, Processor
from eventtracking_core.config import build, read
from eventtracking_core.contexts import ContextProvider
from eventtracking_core.errors import ConfigurationError
from eventtracking_core.registry import MetadataStore
from eventtracking_core.testing._backends import BackendConformance
from eventtracking_core.testing._component import ComponentConformance
from eventtracking_core.testing._processors import ProcessorConformance
from eventtracking_core.testing._providers import ContextProviderConformance
from eventtracking_core.testing._stores import MetadataStoreConformance

__all__ = ["TestBackend", "TestContextProvider", "TestMetadataStore", "TestProcessor", "named"]

_Described = Mapping[str, Any]

_BUILT: Final[Mapping[str, Callable[[_Described], Any]]] = {
    "backend": lambda table: build(read({"backends": {"tested": table}})).root.backends["tested"],
    "processor": lambda table: build(read({"processors": [table]})).root.processors[0],
    "provider": lambda table: build(read({"context": [table]})).providers[0],
    "metadata-store": lambda table: build(read({"metadata": table})).metadata,
}
"""What a configuration makes of a component's table, by kind: the options' names are of these."""


class _ByName(ComponentConformance):
    """Makes the component that the command line names, with the options that it gives."""

    kind: ClassVar[str]

    @pytest.fixture(autouse=True)
    def _described(self, pytestconfig: pytest.Config) -> None:
        self._table = _table(pytestconfig, self.kind)

    def _built(self) -> Any:
        """Return the component, as a configuration would have it."""
        return _BUILT[self.kind](self._table)


class TestBackend(_ByName, BackendConformance):
    """The backend that the command line names."""

    kind = "backend"

    def make_backend(self) -> Backend | BatchBackend:
        """Return the backend."""
        backend: Backend | BatchBackend = self._built()
        return backend


class TestProcessor(_ByName, ProcessorConformance):
    """The processor that the command line names."""

    kind = "processor"

    def make_processor(self) -> Processor:
        """Return the processor."""
        processor: Processor = self._built()
        return processor


class TestContextProvider(_ByName, ContextProviderConformance):
    """The context provider that the command line names."""

    kind = "provider"

    def make_provider(self) -> ContextProvider:
        """Return the provider."""
        provider: ContextProvider = self._built()
        return provider


class TestMetadataStore(_ByName, MetadataStoreConformance):
    """The metadata store that the command line names."""

    kind = "metadata-store"

    def make_store(self) -> MetadataStore:
        """Return the store."""
        store: MetadataStore = self._built()
        return store


def named(config: pytest.Config) -> list[str]:
    """Return the kinds of which the command line names a component.

    Raises:
        UsageError: it names none, or one that cannot be made; the message says which and why.
    """
    kinds = [kind for kind in _BUILT if _name(config, kind) is not None]
    if not kinds:
        flags = ", ".join(f"--eventtracking-{kind}" for kind in _BUILT)
        raise pytest.UsageError(f"say what to check, by its name: one of {flags}")
    for kind in kinds:
        try:
            _BUILT[kind](_table(config, kind))
        except ConfigurationError as error:
            raise pytest.UsageError(str(error)) from None
    return kinds


def _name(config: pytest.Config, kind: str) -> str | None:
    name: str | None = config.getoption(f"eventtracking_{kind.replace('-', '_')}")
    return name


def _table(config: pytest.Config, kind: str) -> _Described:
    return {**config.getoption("eventtracking_options"), "type": _name(config, kind)}
