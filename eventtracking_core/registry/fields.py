"""What one field of an event means, and whether it says who somebody is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eventtracking_core._text import encodable

__all__ = ["FieldDoc"]


@dataclass(frozen=True)
class FieldDoc:
    """What a field means.

    Args:
        name: its path, dotted where it lies in another field.
        description: what it holds, for whoever reads the log.
        type: what JSON Schema calls its type (`string`, `integer`, `number`, `boolean`, `object`,
            `array`, `null`), or several, joined by `|`; any, if not given.
        required: whether an event without it is incomplete.
        pii: the class of personal data it holds, such as `email`, `id`, `ip` or `name`.
        enum: the only values it may have.
    """

    name: str
    description: str = ""
    type: str | None = None
    required: bool = True
    pii: str | None = None
    enum: tuple[str | int | float | bool | None, ...] = ()

    def __post_init__(self) -> None:
        for name in ("name", "description", "type", "pii", "enum"):
            object.__setattr__(self, name, encodable(getattr(self, name)))

    def to_dict(self) -> dict[str, Any]:
        """Return the field as JSON holds it; what has its default is left out."""
        whole = {
            "name": self.name,
            "description": self.description,
            "type": self.type,
            "required": self.required,
            "pii": self.pii,
            "enum": list(self.enum),
        }
        kept = {"name", "description", "required"}
        return {key: value for key, value in whole.items() if value or key in kept}

    @classmethod
    def from_dict(cls, field: Mapping[str, Any]) -> FieldDoc:
        """Return the field that `to_dict` made.

        Raises:
            KeyError: it has no name.
        """
        return cls(
            name=field["name"],
            description=field.get("description", ""),
            type=field.get("type"),
            required=field.get("required", True),
            pii=field.get("pii"),
            enum=tuple(field.get("enum", ())),
        )
