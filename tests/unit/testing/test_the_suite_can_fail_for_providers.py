"""Each check of the suite finds the context provider that it is there for."""

from __future__ import annotations

import os
import threading

import pytest

from eventtracking_core.testing import ContextProviderConformance

pytestmark = [pytest.mark.native, pytest.mark.once, pytest.mark.slow]


def suite_of(provider, **limits):
    """Return the suite for a context provider."""

    class Suite(ContextProviderConformance):
        def make_provider(self):
            return provider

    for name, seconds in limits.items():
        setattr(Suite, name, seconds)
    return Suite()


def fails(check, provider, *, because, **limits):
    with pytest.raises((AssertionError, RuntimeError, TimeoutError, TypeError), match=because):
        getattr(suite_of(provider, **limits), check)()


def test_a_provider_that_is_good():
    def region():
        """Say where it runs."""
        return {"region": "north"}

    suite = suite_of(region)
    for check in dir(suite):
        if check.startswith("test_"):
            getattr(suite, check)()


@pytest.mark.parametrize(
    ("provide", "because"),
    [
        (lambda: None, "it returned NoneType"),
        (lambda: [("a", 1)], "it returned list"),
        (lambda: {1: "a"}, "must be text"),
        (lambda event: {}, "missing 1 required positional argument"),
    ],
)
def test_a_provider_that_returns_something_else(provide, because):
    fails("test_returns_fields_by_name", provide, because=because)


def test_a_provider_that_changes_what_it_returned():
    values = {"request": {"number": 0}}

    def count():
        values["request"]["number"] += 1
        return values

    fails("test_leaves_what_it_returned_alone", count, because="return a new mapping")


def test_a_provider_that_belongs_to_one_thread_or_process():
    here = threading.get_ident(), os.getpid()

    def provide():
        if threading.get_ident() != here[0]:
            raise RuntimeError("wrong thread")
        if os.getpid() != here[1]:
            raise RuntimeError("wrong process")
        return {}

    fails("test_is_called_from_many_threads", provide, because="wrong thread")
    fails("test_works_in_a_forked_child", provide, because="wrong process")


def test_a_provider_that_waits():
    fails("test_waits_for_nothing", threading.Event().wait, because="did not end", deadline=0.1)
