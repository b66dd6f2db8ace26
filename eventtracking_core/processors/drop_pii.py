"""Remove the fields that registered types declare to hold personal data."""

from __future__ import annotations

from typing import Any

from eventtracking_core.errors import require_lists
from eventtracking_core.processors._personal import FieldProcessor, Unclassified

__all__ = ["DropPii"]


class DropPii(FieldProcessor):
    """Remove the fields that hold personal data, as their types declare. Fails closed.

    Args:
        classes: of personal data: `["email", "ip"]`; every class, if not given.
        unclassified: whether an event of a type that is not registered is dropped, or passes
            unchanged.
    """

    def __init__(
        self, classes: list[str] | None = None, unclassified: Unclassified = "drop"
    ) -> None:
        require_lists(classes=classes)
        super().__init__(None, classes, unclassified, is_all=classes is None)

    def _change(self, mapping: dict[str, Any], key: str) -> None:
        del mapping[key]
