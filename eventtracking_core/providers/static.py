"""Values that are the same for every event: given ones, the environment's, the origin."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from eventtracking_core.contexts import Context

__all__ = ["Environment", "Origin", "Static"]


class Static:
    """Puts fixed values under every event's contexts.

    Args:
        values: the values, by field name.
    """

    is_constant: ClassVar[bool] = True

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = dict(values)

    def __call__(self) -> Context:
        """Return the values."""
        return self._values


class Environment(Static):
    """Puts environment variables under every event's contexts, as they are when it is configured.

    Args:
        variables: the variable for each field, such as `{"region": "AWS_REGION"}`. One that is not
            set gives no field.
    """

    is_constant: ClassVar[bool] = True

    def __init__(self, variables: dict[str, str]) -> None:
        known = os.environ
        super().__init__({field: known[name] for field, name in variables.items() if name in known})


class Origin(Static):
    """Puts `origin` under every event's contexts; an entered context may say otherwise.

    Args:
        origin: where the events of this process come from.
    """

    is_constant: ClassVar[bool] = True

    def __init__(self, origin: str = "server") -> None:
        super().__init__({"origin": origin})
