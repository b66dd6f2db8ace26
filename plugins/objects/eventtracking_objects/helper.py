"""A process that makes requests for one that was forked from a user of obstore.

It reads calls from its standard input, writes results to its standard output, and ends with its
parent.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from io import BufferedWriter, FileIO
from itertools import chain, starmap
from pathlib import Path
from struct import Struct
from time import monotonic
from typing import IO, Any, Final, cast

import msgspec

from eventtracking_core import RejectedError, RetryableError
from eventtracking_core.deadlines import bounded
from eventtracking_core.lifecycle.claims import Claim, ClaimLock, call_into
from eventtracking_objects.failures import DeniedError
from eventtracking_objects.operations import OPERATIONS, open_store

__all__ = ["Helper", "main"]

GRACE: Final = 5.0
"""Seconds beyond the timeout of a call in which the helper starts, and answers."""

STDERR: Final = 2
"""The highest of the standard descriptors."""

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
        self._lock = ClaimLock()
        self._process: _Process | None = None

    def call(self, operation: str, *arguments: Any) -> Any:
        """Return the result of an operation, whose last argument is its timeout.

        Raises:
            EventTrackingError: it failed.
        """
        timeout = bounded(float(arguments[-1]))
        start = monotonic()
        claim = Claim()
        try:
            if not self._lock.wait(claim, start + timeout):
                raise RetryableError("the store did not answer in time")
            answer = self._answer(operation, arguments, start + timeout + GRACE)
        finally:
            claim.is_over = True
        result = _restored(answer)
        if isinstance(result, Exception):
            raise result
        return result

    def close(self) -> None:
        """End the process, unless a call goes on in it."""
        claim = Claim()
        try:
            if self._lock.wait(claim, monotonic() + GRACE):
                self._end()
        finally:
            claim.is_over = True

    def _answer(self, operation: str, arguments: tuple[Any, ...], deadline: float) -> Any:
        try:
            process = self._started()
            _write(process.to_it, (operation, arguments))
            return _decode(_received(process.from_it, deadline))
        except (OSError, EOFError, TimeoutError):
            self._end()
            raise RetryableError("the helper process of the store ended, or hangs") from None
        except BaseException:  # an interrupt: its answer would be taken for the next one's
            self._end()
            raise

    def _started(self) -> _Process:
        if self._process is None:
            self._process = _start()
            _write(self._process.to_it, self._store)
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None  # only now: an interrupted end is repeated


class _Process:
    """A helper process that runs.

    Args:
        pid: of the process.
        to_it: its standard input.
        from_it: its standard output.
    """

    def __init__(self, pid: int, to_it: FileIO, from_it: FileIO) -> None:
        self.to_it = BufferedWriter(to_it)
        self.from_it = from_it
        self._pid = pid
        self._ended: list[tuple[int, int]] = []

    def end(self) -> None:
        """End it, and close its pipes; that may be done again."""
        with suppress(OSError):  # gevent waits for all children
            if not self._ended:  # the number may be another's since
                os.kill(self._pid, signal.SIGKILL)
                call_into(self._ended, _original("waitpid"), self._pid, 0)
        for pipe in (self.to_it, self.from_it):
            with suppress(OSError):
                pipe.close()


def _start() -> _Process:
    """Start a helper process; an interrupt leaves neither it nor a descriptor behind."""
    ends: list[FileIO] = []
    pids: list[int] = []
    try:
        # In one step for signal handlers: each descriptor has an owner at once.
        ends.extend(map(FileIO, chain.from_iterable(starmap(os.pipe, [(), ()])), "rwrw"))
        source, to_it, from_it, target = ends
        call_into(pids, _spawning(source.fileno(), target.fileno()))
        source.close()
        target.close()
        return _Process(pids[0], to_it, from_it)
    except BaseException:
        for pid in pids:
            _Process(pid, ends[1], ends[2]).end()
        for end in ends:
            end.close()
        raise


def _spawning(source: int, target: int) -> Callable[[], int]:
    """Return a function that starts the program with two descriptors as its standard ones."""
    program = "from eventtracking_objects.helper import main; main()"
    return partial(
        _original("posix_spawn"),
        _python(),
        [_python(), "-c", program],
        {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.fsdecode, filter(None, sys.path)))},
        file_actions=[(os.POSIX_SPAWN_DUP2, source, 0), (os.POSIX_SPAWN_DUP2, target, 1)],
    )


def _original(name: str) -> Callable[..., Any]:
    """Return a function of `os`: gevent's can only be called in the main thread."""
    monkey: Any = sys.modules.get("gevent.monkey")
    function: Any = getattr(os, name) if monkey is None else monkey.get_original("os", name)
    return cast("Callable[..., Any]", function)


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


def _close_inherited() -> None:
    """Close descriptors that the parent lets its children have, such as a server's sockets."""
    for number in [int(path.name) for path in Path("/dev/fd").iterdir()]:
        if number > STDERR:
            with suppress(OSError):  # that of the listing is closed already
                os.close(number)


def main() -> None:
    """Serve calls until the parent ends."""
    _close_inherited()
    with suppress(EOFError, KeyboardInterrupt):
        asyncio.run(_serve(sys.stdin.buffer, sys.stdout.buffer))
