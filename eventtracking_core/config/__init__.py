"""Configuration: from a file, a dict or the environment to a tree of components.

Every problem is found in one pass and reported with its path and a fix; no option's value is ever
part of a message.
"""

from eventtracking_core.config.build import build
from eventtracking_core.config.connecting import Probe, connect
from eventtracking_core.config.review import review
from eventtracking_core.config.source import Configuration, read, set_default

__all__ = [
    "Configuration",
    "Probe",
    "build",
    "connect",
    "read",
    "review",
    "set_default",
]
