"""Values of environment variables."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from eventtracking_core.contexts import Context

__all__ = ["Environment"]


class Environment:
    """Puts environment variables under every event's contexts, as they are when it is configured.

    Args:
        variables: the variable for each field, such as `{"region": "AWS_REGION"}`. One that is not
            set gives no field.
    """

    is_constant: ClassVar[bool] = True

    def __init__(self, variables: dict[str, str]) -> None:
        self._values = {
            field: os.environ[variable]
            for field, variable in variables.items()
            if variable in os.environ
        }

    def __call__(self) -> Context:
        """Return the values."""
        return self._values
