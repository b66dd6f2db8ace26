"""Remove fields that must not leave."""

from __future__ import annotations

from typing import Any

from eventtracking_core.processors._personal import FieldProcessor, Unclassified

__all__ = ["Redact"]


class Redact(FieldProcessor):
    """Remove fields from events, or replace their values. Fails closed.

    Args:
        fields: dotted fields: `["context.ip", "data.user.email"]`. Through lists they reach into
            each element; keys that have dots themselves are found too.
        replacement: stands in the field's place; without one the field is removed.
        pii: classes of personal data, such as `["email"]`: the fields that registered types
            declare to hold it.
        unclassified: with `pii`, whether an event of a type that is not registered is dropped, or
            passes with only `fields` removed.

    Raises:
        ValueError: there is neither field nor class, or a field lies neither below `context` nor
            below `data`.
    """

    def __init__(
        self,
        fields: list[str] | None = None,
        replacement: str | None = None,
        pii: list[str] | None = None,
        unclassified: Unclassified = "drop",
    ) -> None:
        super().__init__(fields, pii, unclassified)
        self._replacement = replacement

    def _change(self, mapping: dict[str, Any], key: str) -> None:
        if self._replacement is None:
            del mapping[key]
        else:
            mapping[key] = self._replacement
