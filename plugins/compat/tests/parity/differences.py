"""The scenarios whose results differ, and why; the migration page lists each of them.

The value is what the page says of it.
"""

from __future__ import annotations

from typing import Final

__all__ = ["DIFFERENCES"]

DIFFERENCES: Final = {
    "emit_returns": "`emit` returns the event's id",
    "expression_filters_and_lists_of_events": "filters lists of events too",
    "messages_of_wrong_expression_filters": "about invalid expressions is worded differently",
    "a_long_event_in_the_log": "events of any size are logged",
    "options_of_the_logger": "logs a warning for each event that `max_event_size` drops",
    "what_json_cannot_hold_in_the_log": "values that JSON cannot hold are logged",
    "django_trees": "the contexts of a thread are a mapping of another class",
    "the_indexes_of_mongo": "indexes those fields that [`mongo`](mongo.md) does",
    "what_modules_have": "the exceptions of processors have a common base class",
}
