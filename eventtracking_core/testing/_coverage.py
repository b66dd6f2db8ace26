"""Which registered event types and fields a run of tests emitted: `--eventtracking-coverage`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from eventtracking_core.events import Event
from eventtracking_core.pipeline.interception import observers
from eventtracking_core.processors._fields import values
from eventtracking_core.registry import EventType
from eventtracking_core.testing._capture import recompile
from eventtracking_core.tracker.tracker import alive

__all__ = ["Coverage"]

_KEY = "eventtracking_coverage"


class Coverage:
    """A pytest plugin that sees every event of every tracker, and ends with a report."""

    def __init__(self) -> None:
        # By name of the type: each field, and whether it was there; empty key: the event itself.
        self._types: dict[str, dict[str, bool]] = {}

    def pytest_sessionstart(self) -> None:
        """Begin to look at events."""
        observers.append(self.observe)
        recompile()

    def observe(self, event: Event) -> None:
        """Note what of its type is in an event."""
        registered = (tracker.event_types.get(event["name"]) for tracker in list(alive))
        for record in filter(None, registered):
            known = self._known(record)
            known[""] = True
            for field, was_there in known.items():
                if not was_there and values(event, ("data", *field.split("."))):
                    known[field] = True

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Look at what was registered; in a process of xdist, hand all to the first one."""
        observers.remove(self.observe)
        recompile()
        for tracker in list(alive):
            types = tracker.event_types
            for record in types:
                if types.get(record.name) is record:  # an event's, and the one that holds
                    self._known(record)
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[_KEY] = self._types

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what another process of xdist saw."""
        for name, fields in node.workeroutput.get(_KEY, {}).items():
            known = self._types.setdefault(name, {})
            for field, was_there in fields.items():
                known[field] = was_there or known.get(field, False)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was emitted, and what was not."""
        types = self._types.values()
        described = sum(len(fields) - 1 for fields in types)
        emitted = sum(fields[""] for fields in types)
        seen = sum(sum(fields.values()) for fields in types) - emitted
        terminalreporter.section("event coverage")
        terminalreporter.line(
            f"{emitted} of {len(types)} event types and {seen} of {described} fields were emitted"
        )
        for name in sorted(self._types):
            missing = _missing(self._types[name])
            if missing:
                terminalreporter.line(f"  {name}: {missing}")

    def _known(self, record: EventType) -> dict[str, bool]:
        known = self._types.setdefault(record.name, {"": False})
        for field in record.fields:
            known.setdefault(field.name, False)
        return known


def _missing(fields: Mapping[str, bool]) -> str:
    if not fields[""]:
        return "never emitted"
    absent = [field for field, was_there in fields.items() if not was_there]
    return f"never with {', '.join(absent)}" if absent else ""
