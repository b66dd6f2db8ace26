"""Reading logs: the lines of files, and the events and records of event types that they hold."""

from eventtracking_core.logs.inputs import (
    MAX_LINE,
    STDIN,
    Line,
    Source,
    UnreadableInputError,
    opened,
)
from eventtracking_core.logs.lines import RejectedLineError, parse_line, parse_record
from eventtracking_core.logs.reading import Rejected, entries

__all__ = [
    "MAX_LINE",
    "STDIN",
    "Line",
    "Rejected",
    "RejectedLineError",
    "Source",
    "UnreadableInputError",
    "entries",
    "opened",
    "parse_line",
    "parse_record",
]
