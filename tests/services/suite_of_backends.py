"""A backend that passes the suite, and what the suite's checks say of those that do not."""

from __future__ import annotations

import pytest

from eventtracking_core.testing import BackendConformance

__all__ = ["Good", "fails", "suite_of"]


class Good:
    """Keeps the ids of events."""

    def __init__(self):
        self.ids = []

    def send(self, event):
        self.ids.append(event["id"])

    def flush(self, timeout):
        return True

    def shutdown(self, timeout):
        return True


def suite_of(backend_class, **limits):
    """Return the suite for a backend, whose ids are what is stored."""

    class Suite(BackendConformance):
        def make_backend(self):
            return backend_class()

        def make_unreachable(self):
            return backend_class()

        def stored(self, backend):
            return [{"id": id_} for id_ in backend.ids]

    for name, seconds in limits.items():
        setattr(Suite, name, seconds)
    return Suite()


def fails(check, backend_class, *arguments, because, **limits):
    with pytest.raises((AssertionError, RuntimeError, TimeoutError), match=because):
        getattr(suite_of(backend_class, **limits), check)(*arguments)
