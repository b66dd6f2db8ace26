"""The thread that compresses rotated files and removes old ones."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain
from pathlib import Path
from threading import Event as Signal
from threading import Lock, Thread
from typing import Final, TypeVar

from eventtracking_core.diagnostics import report
from eventtracking_file._compression import EXTENSIONS, Compression, compress
from eventtracking_file._openfile import CHECK_INTERVAL

__all__ = ["Tidying"]

# A file that is still open after this many attempts is compressed after a later rotation.
_ATTEMPTS: Final = 20

_T = TypeVar("_T")


class Tidying:
    """Compresses and removes rotated files, in a thread that exists only while there is work.

    Args:
        rotated: returns the files of each rotation, oldest first.
        compression: the compression, if any.
        keep: how many rotations to keep.
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
        """Reset to the state without a thread, at first and in a forked child."""
        self._lock = Lock()
        self._ending = Signal()
        self._requested = self._running = False
        self._thread = None

    def request(self) -> None:
        """Process the rotated files soon. The caller holds the rotation's lock."""
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
        except RuntimeError:  # interpreter exit: the next rotation, in any process, does it
            self._running = False
        else:
            self._thread = thread

    def finish(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for the thread; return whether it has finished."""
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
        """Compress files; retry those that a process still has open."""
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
    """Call a function; log its failure and continue."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001
        key = ("tidy", type(error))
        report(logging.ERROR, key, "cannot compress or remove rotated files: %s", error)
        return None
