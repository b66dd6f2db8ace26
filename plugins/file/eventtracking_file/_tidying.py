"""The thread that compresses rotated files and removes those that are too many."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain
from pathlib import Path
from threading import Event as Signal
from threading import Lock, Thread
from typing import Final, TypeVar

from eventtracking_core.diagnostics import describe, report
from eventtracking_file._compression import EXTENSIONS, Compression, compress
from eventtracking_file._openfile import CHECK_INTERVAL

__all__ = ["Tidying"]

# A file that somebody has open after so many attempts is compressed after a later rotation.
_ATTEMPTS: Final = 20

_T = TypeVar("_T")


class Tidying:
    """What is done to rotated files, in a thread that is there while there is something to do.

    Args:
        rotated: returns the files of each rotation, oldest first.
        compression: how they are compressed.
        keep: how many of them stay.
    """

    _lock: Lock
    _ending: Signal
    _requested: bool
    _running: bool
    _thread: Thread | None

    def __init__(
        self,
        rotated: Callable[[], list[list[Path]]],
        compression: Compression | None,
        keep: int | None,
    ) -> None:
        self._rotated = rotated
        self._compression = compression
        self._keep = keep
        self.forked()

    def forked(self) -> None:
        """Start without a thread, as a forked child does."""
        self._lock = Lock()
        self._ending = Signal()
        self._requested = self._running = False
        self._thread = None

    def request(self) -> None:
        """Look at the rotated files, soon. Whoever calls this holds the lock of the rotation."""
        if self._compression is None and self._keep is None:
            return
        with self._lock:
            self._requested = True
            if self._running:
                return
            self._running = True
        self._ending = Signal()
        thread = Thread(target=self._run, name="eventtracking-file", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter is ending: the next rotation, of any process, will
            self._running = False
        else:
            self._thread = thread

    def finish(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds until all is done; tell whether it is."""
        thread = self._thread
        if thread is None:
            return True
        self._ending.set()
        thread.join(timeout)
        return not thread.is_alive()

    def _run(self) -> None:
        while self._is_requested():
            _guarded(self._tidy)

    def _is_requested(self) -> bool:
        with self._lock:
            self._running, self._requested = self._requested, False
            return self._running

    def _tidy(self) -> None:
        rotated = self._rotated()
        excess = 0 if self._keep is None else max(0, len(rotated) - self._keep)
        for path in chain.from_iterable(rotated[:excess]):
            _guarded(partial(path.unlink, missing_ok=True))
        if self._compression is not None:
            self._compress(chain.from_iterable(rotated[excess:]), self._compression)

    def _compress(self, paths: Iterable[Path], compression: Compression) -> None:
        """Compress files, those that somebody still writes to somewhat later."""
        left = [path for path in paths if path.suffix not in EXTENSIONS]
        for _ in range(_ATTEMPTS):
            last = self._ending.is_set()
            left = [
                path for path in left if _guarded(partial(compress, path, compression)) is False
            ]
            if last or not left:
                return
            self._ending.wait(CHECK_INTERVAL)


def _guarded(work: Callable[[], _T]) -> _T | None:
    """Do something; a failure is logged, and stops nothing else."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001
        key = ("tidy", type(error))
        report(logging.ERROR, key, "cannot tidy up rotated files: %s", describe(error))
        return None
