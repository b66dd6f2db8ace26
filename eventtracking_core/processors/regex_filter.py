"""Let events through, or drop them, by patterns of their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from eventtracking_core.errors import EventEmissionExit, require_lists
from eventtracking_core.processors._filter import Filter
from eventtracking_core.units import Regex, compile_pattern

if TYPE_CHECKING:
    from eventtracking_core.events import Event

__all__ = ["RegexFilter"]

MAX_KNOWN: Final = 10_000
"""Names whose fate is remembered: applications have few."""


class RegexFilter(Filter):
    """Keep (`allowlist`) or drop (`blocklist`) the events whose name matches a pattern.

    Patterns that backtrack (nested quantifiers such as `(a+)+`) can take long on a name that
    almost matches; names are at most 255 characters, and choosing patterns well is the operator's.

    Args:
        filter_type: what to do with a name that matches.
        regular_expressions: patterns in the syntax of Python's `re`; one that matches is enough.
        match: whether a pattern must match the `whole` name, or a `prefix` of it is enough, as
            for the filter of event-tracking.

    Raises:
        ValueError: a pattern does not compile.
    """

    def __init__(
        self,
        filter_type: Literal["allowlist", "blocklist"],
        regular_expressions: list[Regex],
        match: Literal["whole", "prefix"] = "whole",
    ) -> None:
        require_lists(regular_expressions=regular_expressions)
        patterns = []
        for number, pattern in enumerate(regular_expressions):
            try:
                patterns.append(compile_pattern(pattern))
            except ValueError as error:
                raise ValueError(f"regular_expressions[{number}] {error}") from error
        self._keeps = filter_type == "allowlist"
        self._matches = [
            pattern.match if match == "prefix" else pattern.fullmatch for pattern in patterns
        ]
        self._known: dict[str, bool] = {}

    def __call__(self, event: Event, /) -> None:
        """Let the event pass if its name is one to keep."""
        name = event["name"]
        known = self._known.get(name)
        if known is None:
            known = any(matches(name) for matches in self._matches) is self._keeps
            if len(self._known) < MAX_KNOWN:
                self._known[name] = known
        if not known:
            raise EventEmissionExit
