"""The contract of context providers, as a class of tests to inherit."""

# ruff: noqa: S101  these are tests

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import Final

from eventtracking_core.contexts import ContextProvider
from eventtracking_core.testing._bounded import in_a_child, in_threads
from eventtracking_core.testing._component import EACH, THREADS, ComponentConformance
from eventtracking_core.testing._contents import Contents

__all__ = ["ContextProviderConformance"]

MANY: Final = 100


class ContextProviderConformance(ComponentConformance):
    """The checks that a context provider passes: inherit it, and say how one is made.

    Define tests of what it provides, and where, besides::

        class TestDeployment(ContextProviderConformance):
            def make_provider(self):
                return Deployment(colour="blue")
    """

    @abstractmethod
    def make_provider(self) -> ContextProvider:
        """Return a provider that was not used yet; called once or more in each check."""

    def _make(self) -> ContextProvider:
        return self.make_provider()

    def test_returns_fields_by_name(self) -> None:
        """Called without arguments, anywhere, it returns fields by name, maybe none."""
        values: object = self.make_provider()()
        assert isinstance(values, Mapping), (
            f"it returned {type(values).__name__}: return a mapping, an empty one for nothing"
        )
        assert all(isinstance(field, str) for field in values), "the names of fields must be text"

    def test_leaves_what_it_returned_alone(self) -> None:
        """What it returned is in events that wait to be delivered."""
        provider = self.make_provider()
        first = provider()
        contents = Contents(first)
        for _ in range(EACH):
            provider()
        assert contents.is_unchanged(), "it changed what it returned before: return a new mapping"

    def test_is_called_from_many_threads(self) -> None:
        """Any thread may emit, at any time."""
        provider = self.make_provider()
        in_threads([partial(_call, provider, EACH)] * THREADS, self.deadline)

    def test_works_in_a_forked_child(self) -> None:
        """What it holds is of use in the child too."""
        provider = self.make_provider()
        provider()
        failure = in_a_child(partial(_call, provider, 1), self.deadline)
        assert not failure, failure

    def test_waits_for_nothing(self) -> None:
        """It runs inside each `emit`, in the application's own thread."""
        in_threads([partial(_call, self.make_provider(), MANY)], self.deadline)


def _call(provider: ContextProvider, count: int) -> None:
    for _ in range(count):
        provider()
