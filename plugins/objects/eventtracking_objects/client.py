"""The store as this process reaches it: directly, or after some forks through a helper process."""

from __future__ import annotations

import atexit
import os
from collections.abc import Mapping, Sequence
from threading import Lock
from time import sleep
from typing import TYPE_CHECKING, Any, Final

from eventtracking_objects.failures import failure
from eventtracking_objects.helper import Helper
from eventtracking_objects.operations import OPERATIONS, open_store

if TYPE_CHECKING:
    from obstore.store import ObjectStore

__all__ = ["Client"]

# The threads of obstore's runtime are those of the process that used it first: in a process that
# was forked later, every call would wait for them for ever.
_used_in: int | None = None

SETTLES: Final = 0.05
"""Seconds after the last request, in which obstore's threads let go of it.

A thread that asks for the interpreter while that ends aborts the process.
"""

# What a parent opened is never closed by its child.
_inherited: Final[list[object]] = []


class Client:
    """Opens the store with the first request of a process.

    Args:
        uri: of the store.
        options: of obstore.

    Raises:
        ValueError: the address or an option cannot be used.
    """

    def __init__(self, uri: str, options: Mapping[str, str]) -> None:
        if not uri.startswith("file://"):  # opening it makes the directory
            try:
                open_store(uri, options)
            except Exception as error:  # noqa: BLE001  its own text has values
                kind = type(error).__name__
                raise ValueError(f"uri and options do not make a store ({kind})") from None
        self.uri = uri
        self._options = options
        self._reset()

    def _reset(self) -> None:
        self._owner = os.getpid()
        self._lock = Lock()
        self._opened: ObjectStore | Helper | None = None

    async def create(
        self, objects: Sequence[tuple[str, bytes]], seconds: float
    ) -> list[Exception | None]:
        """Write objects, except those that are there; return each one's failure or None."""
        result: list[Exception | None] = await self._call("create", objects, seconds)
        return result

    async def read(self, keys: Sequence[str], seconds: float) -> list[bytes | None]:
        """Return the contents of objects; None for one that is not there.

        Raises:
            EventTrackingError: one of them cannot be read.
        """
        contents = []
        for content in await self._call("read", keys, seconds):
            if isinstance(content, Exception):
                raise content
            contents.append(content)
        return contents

    async def list_keys(self, directory: str, seconds: float, after: str = "") -> list[str]:
        """Return the keys below a directory, in order; only those after a key, if it is given.

        Raises:
            EventTrackingError: they cannot be listed.
        """
        keys: list[str] = await self._call("list_keys", directory, after, seconds)
        return keys

    def close(self) -> None:
        """Forget the store; the next request opens it again."""
        if self._owner == os.getpid():
            opened, self._opened = self._opened, None
            if isinstance(opened, Helper):
                opened.close()
            elif opened is not None:
                sleep(SETTLES)

    async def _call(self, operation: str, *arguments: Any) -> Any:
        try:
            store = self._open()
        except Exception as error:  # noqa: BLE001  such as a directory that cannot be made
            raise failure(error) from None
        if isinstance(store, Helper):
            return store.call(operation, *arguments)
        return await OPERATIONS[operation](store, *arguments)

    def _open(self) -> ObjectStore | Helper:
        global _used_in  # noqa: PLW0603  one runtime a process
        process = os.getpid()
        if self._owner != process:
            _inherited.append(self._opened)
            self._reset()
        with self._lock:
            if self._opened is None:
                if _used_in is None:
                    _used_in = process
                    atexit.register(sleep, SETTLES)
                if _used_in == process:
                    self._opened = open_store(self.uri, self._options)
                else:
                    self._opened = Helper(self.uri, self._options)
            return self._opened
