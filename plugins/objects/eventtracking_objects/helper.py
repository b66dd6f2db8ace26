"""A process that makes requests for one that was forked from a user of obstore.

It reads calls from its standard input, writes results to its standard output, and ends with its
parent.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from struct import Struct
from threading import Lock
from time import monotonic
from typing import IO, Any, Final, cast

import msgspec

from eventtracking_core import RejectedError, RetryableError
from eventtracking_objects.failures import DeniedError
from eventtracking_objects.operations import OPERATIONS, open_store

__all__ = ["Helper", "main"]

GRACE: Final = 5.0
"""Seconds beyond the timeout of a call in which the helper starts, and answers."""

_ERRORS: Final = {kind.__name__: kind for kind in (DeniedError, RejectedError, RetryableError)}
_length: Final = Struct("!Q")


class Helper:
    """A helper process, started with the first call and again when it ended.

    Args:
        uri: of the store.
        options: of obstore; they go through a pipe, where no other user sees them.
    """

    def __init__(self, uri: str, options: Mapping[str, str]) -> None:
        self._store = (uri, dict(options))
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def call(self, operation: str, *arguments: Any) -> Any:
        """Return the result of an operation, whose last argument is its timeout.

        Raises:
            EventTrackingError: it failed.
        """
        timeout = float(arguments[-1])
        deadline = monotonic() + timeout + GRACE
        if not self._lock.acquire(timeout=timeout):
            raise RetryableError("the store did not answer in time")
        try:
            to_helper, from_helper = self._started()
            _write(to_helper, (operation, arguments))
            answer = _decode(_received(from_helper, deadline))
        except (OSError, EOFError, TimeoutError):
            self._end()
            raise RetryableError("the helper process of the store ended, or hangs") from None
        except BaseException:  # an interrupt: its answer would be taken for the next one's
            self._end()
            raise
        finally:
            self._lock.release()
        result = _restored(answer)
        if isinstance(result, Exception):
            raise result
        return result

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _started(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603  this module, with this interpreter
                [_python(), "-c", "from eventtracking_objects.helper import main; main()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
            _write(cast("IO[bytes]", self._process.stdin), self._store)
        pipes = (self._process.stdin, self._process.stdout)
        return cast("tuple[IO[bytes], IO[bytes]]", pipes)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
            process.wait()


def _python() -> str:
    """Return the interpreter's path, also in a server that has it embedded."""
    if Path(sys.executable or "uwsgi").name.startswith("python"):
        return sys.executable
    return str(Path(sys.prefix, "bin", "python3"))


def _write(pipe: IO[bytes], value: Any) -> None:
    data = msgspec.msgpack.encode(value)
    pipe.write(_length.pack(len(data)) + data)
    pipe.flush()


def _received(pipe: IO[bytes], deadline: float) -> bytes:
    """Return a message; raises TimeoutError if it does not come in time, EOFError at the end."""
    data = bytearray()
    wanted = _length.size
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while len(data) < wanted:
            if not selector.select(max(0.0, deadline - monotonic())):
                raise TimeoutError
            # One message at a time is under way, so none of the next is read.
            new = os.read(pipe.fileno(), 1 << 20)
            if not new:
                raise EOFError
            data += new
            if wanted == _length.size and len(data) >= wanted:
                wanted += _length.unpack_from(data)[0]
    return bytes(data[_length.size :])


def _read(pipe: IO[bytes]) -> Any:
    head = pipe.read(_length.size)
    if len(head) < _length.size:
        raise EOFError
    return _decode(pipe.read(_length.unpack(head)[0]))


def _decode(data: bytes) -> Any:
    return msgspec.msgpack.decode(data)


def _plain(result: Any) -> Any:
    """Return a result that may have exceptions as plain values."""
    if isinstance(result, list):
        return [_plain(item) for item in result]
    if isinstance(result, Exception):
        return {"error": type(result).__name__, "text": str(result)}
    return result


def _restored(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_restored(item) for item in answer]
    if isinstance(answer, dict):
        return _ERRORS.get(answer["error"], RetryableError)(answer["text"])
    return answer


async def _serve(source: IO[bytes], target: IO[bytes]) -> None:
    uri, options = _read(source)
    store = open_store(uri, options)
    while True:
        operation, arguments = _read(source)
        try:
            result = await OPERATIONS[operation](store, *arguments)
        except Exception as error:  # noqa: BLE001  the caller raises it again
            result = error
        _write(target, _plain(result))


def main() -> None:
    """Serve calls until the parent ends."""
    with suppress(EOFError, KeyboardInterrupt):
        asyncio.run(_serve(sys.stdin.buffer, sys.stdout.buffer))
