"""The JSON format of `event-tracking`, for applications that encode events themselves."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from eventtracking_core.events import as_utc

__all__ = ["DateTimeJSONEncoder"]


class DateTimeJSONEncoder(json.JSONEncoder):
    """Encodes datetimes, in UTC, and dates in ISO 8601: `2020-01-01T00:00:00+00:00`.

    A naive datetime is treated as UTC.
    """

    def default(self, o: Any) -> Any:
        """Return the text of a datetime or date.

        Raises:
            TypeError: the object is neither.
        """
        if isinstance(o, datetime):
            return as_utc(o).isoformat()
        if isinstance(o, date):
            return o.isoformat()
        return super().default(o)
