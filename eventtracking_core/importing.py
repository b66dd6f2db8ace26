"""Importing what a configuration names: bounded in time, and without waiting for itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from operator import attrgetter
from threading import Event as Signal
from typing import TYPE_CHECKING, Any, Final

from eventtracking_core._text import printable
from eventtracking_core.errors import PluginError
from eventtracking_core.lifecycle.threads import start_daemon

if TYPE_CHECKING:
    from types import FrameType, ModuleType

__all__ = ["import_attribute", "import_bounded", "import_named"]

Factory = Callable[..., Any]

IMPORT_TIMEOUT: Final = 10.0
"""Seconds in which an import loads no module before it counts as broken.

A busy machine may take longer for all of them.
"""

LOOKS_EVERY: Final = 0.25
"""Seconds between two looks at what has been loaded."""

_OURS: Final = "eventtracking_core."
_IMPORT_SYSTEM: Final = "<frozen importlib._bootstrap>"


def import_named(module: str) -> ModuleType:
    """Import a module that an operator names; the current directory is looked in first.

    Raises:
        ImportError: it cannot be imported, or ends the process; the message says which and why,
            without the text of the module's own errors, which may hold a secret.
    """
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        return import_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        cause = f": {error}" if isinstance(error, ImportError) else ""
        text = f"{module} cannot be imported: {type(error).__name__}{cause}"
        raise ImportError(printable(text)) from error


def import_attribute(path: str) -> Factory:
    """Return the callable that a path such as `package.module:attribute` names.

    Raises:
        PluginError: it cannot be imported, or is not callable.
    """
    module, _, attribute = path.partition(":")
    factory: Factory = import_bounded(
        repr(path), module, lambda: attrgetter(attribute)(import_module(module))
    )
    if not callable(factory):
        raise PluginError(f"{path!r} is not callable")
    return factory


def import_bounded(what: str, module: str, load: Callable[[], object]) -> Any:
    """Run an import that may raise, never end, or end the process.

    It runs in a thread of its own, as long as it goes on loading modules. It runs in this thread
    where it takes no time, where this thread is importing, since that import would be waited for,
    and where no thread can be started.

    Args:
        what: the thing to import, for the message.
        module: its module.
        load: imports it.

    Raises:
        PluginError: it did not work; the message says what and why.
    """
    outcome: list[Any] = []
    done = Signal()

    def run() -> None:
        try:
            outcome.append((load(), None))
        except BaseException as error:  # noqa: BLE001  SystemExit among them
            outcome.append((None, error))
        done.set()

    is_quick = module.startswith(_OURS) or _is_imported(module) or _is_importing()
    if is_quick or not start_daemon(run, "eventtracking-import"):
        run()
    loaded, idle = 0, 0.0
    while not done.wait(LOOKS_EVERY):
        # Counted, not measured: a process that was stopped meanwhile did not have the time.
        idle = idle + LOOKS_EVERY if loaded == len(sys.modules) else 0.0
        loaded = len(sys.modules)
        if idle >= IMPORT_TIMEOUT:
            raise PluginError(f"{what} is importing: nothing loaded for {IMPORT_TIMEOUT:g} seconds")
    value, error = outcome[0]
    if isinstance(error, KeyboardInterrupt):
        raise error
    if error is not None:
        cause = f"{type(error).__name__}: {error}".rstrip(": ")
        raise PluginError(f"{what} cannot be imported: {cause}") from error
    return value


def _is_imported(module: str) -> bool:
    imported = sys.modules.get(module)
    return imported is not None and not getattr(imported.__spec__, "_initializing", False)


def _is_importing() -> bool:
    """Return whether this thread is importing: another one might wait for that to end."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001  the way to look at a stack
    while frame is not None:
        if frame.f_code.co_filename == _IMPORT_SYSTEM:
            return True
        frame = frame.f_back
    return False
