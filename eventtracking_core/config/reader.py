"""Reading a configuration's tables, and noting what is wrong in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from eventtracking_core.config.convert import convert
from eventtracking_core.config.place import kind_of
from eventtracking_core.errors import Problem

__all__ = ["Reader"]


class Reader:
    """Collects every problem, in the order of the configuration.

    Args:
        problems: what is wrong already.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)

    def problem(self, path: str, message: str) -> None:
        """Note a problem, by its path."""
        self.problems.append(Problem(path, message))

    def option(self, table: Mapping[str, Any], key: str, hint: object, default: Any) -> Any:
        """Return the value of a key as its hint wants it; the default where it is not there."""
        if key not in table:
            return default
        value, problems = convert(table[key], hint, key)
        self.problems += problems
        return default if problems else value

    def list_of(self, value: object, path: str) -> list[tuple[str, Any]]:
        """Return the items of a list, each with its path."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.problem(path, f"expected a list, got {kind_of(value)}")
            return []
        return [(f"{path}[{number}]", item) for number, item in enumerate(value)]

    def is_wrong(self, path: str) -> bool:
        """Tell whether there is a problem at a path or below it."""
        return any(re.match(rf"{re.escape(path)}($|[.\[])", at) for at, _ in self.problems)
