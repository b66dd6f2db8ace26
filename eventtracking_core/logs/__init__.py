"""Reading logs: the lines of files, and the events and records of event types that they hold."""

from eventtracking_core.logs.compression import UnreadableInputError
from eventtracking_core.logs.inputs import MAX_LINE, STDIN, Line, Source, opened
from eventtracking_core.logs.lines import Entry, Rejected, is_surely_normal, parse_line
from eventtracking_core.logs.reading import entries, entries_of
from eventtracking_core.logs.store import LogFiles

__all__ = [
    "MAX_LINE",
    "STDIN",
    "Entry",
    "Line",
    "LogFiles",
    "Rejected",
    "Source",
    "UnreadableInputError",
    "entries",
    "entries_of",
    "is_surely_normal",
    "opened",
    "parse_line",
]
