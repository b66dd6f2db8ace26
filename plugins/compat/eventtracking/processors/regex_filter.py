"""Keep, or drop, the events whose names begin with a match of an expression."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Any, Final

from eventtracking.exceptions import ImproperlyConfigured
from eventtracking.processors.exceptions import EventEmissionExit

__all__ = ["ALLOWLIST", "BLOCKLIST", "RegexFilter"]

ALLOWLIST: Final = "allowlist"
BLOCKLIST: Final = "blocklist"

logger = logging.getLogger(__name__)


class RegexFilter:
    """Lets events through by their names.

    An expression matches at the beginning of a name, as `re.match` does. The native `regex_filter`
    matches whole names, unless it has `match = "prefix"`.

    Args:
        filter_type: `allowlist` to keep what matches, `blocklist` to drop it.
        regular_expressions: the expressions.

    Raises:
        ImproperlyConfigured: the type is unknown, or an expression does not compile.
    """

    def __init__(
        self, filter_type: str = ALLOWLIST, regular_expressions: Iterable[str] | None = None
    ) -> None:
        if filter_type not in {ALLOWLIST, BLOCKLIST}:
            logger.error(
                "Unsupported filter type %s is set. Allowed types are only %s and %s.",
                filter_type,
                ALLOWLIST,
                BLOCKLIST,
            )
            raise ImproperlyConfigured("Invalid filter type is configured")
        self.filter_type = filter_type
        self.regular_expressions = list(regular_expressions or ())
        self.regular_expressions_compiled = self._compiled()

    def _compiled(self) -> list[re.Pattern[str]]:
        compiled, invalid = [], []
        for expression in self.regular_expressions:
            try:
                compiled.append(re.compile(expression))
            except re.error:
                invalid.append(expression)
        if invalid:
            logger.error("These regular expressions do not compile: %s", invalid)
            raise ImproperlyConfigured("Invalid Regular Expressions are configured.")
        return compiled

    def __call__(self, event: Any) -> Any:
        """Return the event; of a list of events, those that pass.

        Raises:
            EventEmissionExit: the filter drops it.
        """
        if isinstance(event, list):
            return [each for each in event if self._passes(each)]
        if not self._passes(event):
            raise EventEmissionExit
        return event

    def _passes(self, event: dict[str, Any]) -> bool:
        name = str(event["name"])
        matches = any(each.match(name) for each in self.regular_expressions_compiled)
        return matches is (self.filter_type == ALLOWLIST)
