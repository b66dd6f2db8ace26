"""Values of environment variables."""

from __future__ import annotations

import os
from typing import ClassVar

from eventtracking_core.providers.static import Static

__all__ = ["Environment"]


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
