"""Code as a source: the event types that a module registers, and the lines that emit them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path

import click

from eventtracking_catalog.collecting import Collection
from eventtracking_catalog.emitters import emitters, files_of
from eventtracking_core import get_tracker
from eventtracking_core.registry import EventType

__all__ = ["Code", "event_types_of"]


def event_types_of(module: str) -> Iterable[EventType]:
    """Import a module, and return the event types that the default tracker knows then.

    Args:
        module: its dotted name; the current directory is looked in first.

    Raises:
        ClickException: it cannot be imported; the message says why.
    """
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        import_module(module)
    except KeyboardInterrupt:
        raise
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise click.ClickException(f"{module} cannot be imported: {error}") from error
        raise click.ClickException(f"{module}: no such file or module") from error
    except BaseException as error:
        message = f"{module} cannot be imported: {_reason(error)}"
        raise click.ClickException(message) from error
    return tuple(get_tracker().event_types)


def _reason(error: BaseException) -> str:
    # An import error says which module is missing; others may hold a value of the application's.
    return str(error) if isinstance(error, ImportError) else type(error).__name__


class Code:
    """A module, and the code beside it.

    Args:
        module: its dotted name.
    """

    def __init__(self, module: str) -> None:
        self.title = module

    def collect(self, into: Collection) -> None:
        """Import it, and read its code.

        Raises:
            ClickException: it cannot be imported.
        """
        for record in event_types_of(self.title):
            into.record(record)
        file = sys.modules[self.title].__file__
        if file is None:
            return
        for name, emitter in emitters(files_of(Path(file), self.title), Path.cwd()):
            into.emitters(name, [emitter])

    def counts(self) -> Mapping[str, int]:
        """Return nothing: it knows of no events."""
        return {}
