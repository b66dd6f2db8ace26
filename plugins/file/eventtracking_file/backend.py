"""The file backend: each event is one line, appended by one write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Final, Literal, get_args

from eventtracking_core import BatchError, ByteSize, Event, EventType, RetryableError, Seconds
from eventtracking_core.encoding import JsonBatch, write_json
from eventtracking_core.files.probing import absolute, probe_file
from eventtracking_file._appending import Appender
from eventtracking_file._compression import Compression, is_available
from eventtracking_file._event_types import event_types_in
from eventtracking_file._rotation import Rotation
from eventtracking_file._tidying import Tidying

__all__ = ["FileBackend"]

_CHUNK: Final = 256 * 1024
_LARGEST_KEPT: Final = 64 * 1024
_MODES: Final = 0o777
_PERIODS: Final = {"hour": 3600.0, "day": 86_400.0}


class FileBackend:
    """Appends events to a file, one line of JSON each.

    A complete line is written when `send` returns. Any number of threads and processes may write to
    the same file, on a local file system, without waiting for each other. If another program
    renames or removes the file, it is reopened within 0.1 seconds. A named pipe is opened without
    waiting for a reader; a full one is waited for at most 0.05 seconds.

    Args:
        path: the file; a relative path is resolved now, `~` is the home directory. Missing
            directories are created with the first event.
        max_size: rotate before the file exceeds this size in bytes. Several processes together may
            exceed it within 0.1 seconds.
        rotate_every: rotate with the first event of each `hour` or `day` (UTC), or of each period
            of this many seconds.
        compress: compress rotated files, in a thread; `zstd` needs the extra `zstd`.
        keep: how many rotated files to keep; older ones are removed.
        fsync: wait for the disk after each write, so that events survive a power loss.
        mode: the permissions of new files, before the process's umask.

    Raises:
        ValueError: an option is out of range, or `compress` or `keep` is given without rotation.
    """

    is_read_only: ClassVar[bool] = True
    takes_json: ClassVar[bool] = True

    def __init__(
        self,
        path: str,
        max_size: ByteSize | None = None,
        rotate_every: Literal["hour", "day"] | Seconds | None = None,
        compress: Compression | None = None,
        keep: int | None = None,
        *,
        fsync: bool = False,
        mode: int = 0o600,
    ) -> None:
        if not str(path).strip():
            raise ValueError("path must name a file")
        if max_size is not None and max_size < 1:
            raise ValueError("max_size must be positive")
        if keep is not None and keep < 1:
            raise ValueError("keep must be positive")
        if not 0 <= mode <= _MODES:
            raise ValueError("mode must be permissions, between 0 and 0o777")
        period = _period(rotate_every)
        if max_size is None and period is None and not (compress is None and keep is None):
            raise ValueError("compress and keep need max_size or rotate_every")
        _check_compression(compress)
        self._path = absolute(path)
        self._rotation = Rotation(self._path, max_size, period)
        self._tidying = Tidying(self._rotation.rotated, compress, keep)
        self._appender = Appender(self._path, self._rotation, self._tidying, mode=mode, fsync=fsync)
        # Shared by all threads, and by signal handlers that interrupt `send`: taking from a list is
        # atomic.
        self._buffers: list[bytearray] = []

    def probe(self, _timeout: float, /) -> str:
        """Return whether the file can be written; none is created.

        Raises:
            OSError: the file cannot be written or created.
        """
        return probe_file(self._path)

    def send(self, event: Event) -> None:
        """Append an event.

        Raises:
            RetryableError: the file cannot be opened or written, or its disk is full.
        """
        try:
            buffer = self._buffers.pop()
        except IndexError:
            buffer = bytearray()
        write_json(event, buffer)
        buffer += b"\n"
        size = len(buffer)
        self._appender.append(buffer)
        if size <= _LARGEST_KEPT:
            self._buffers.append(buffer)

    def send_batch(self, events: Sequence[Event], *, timeout: float) -> None:  # noqa: ARG002
        """Append events, many with one write.

        Args:
            events: any number of events.
            timeout: seconds; not used, since writing can't be interrupted.

        Raises:
            BatchError: the listed events are not in the file, the others are.
            RetryableError: no event is in the file.
        """
        written = 0
        for lines in _chunks(events):
            count = lines.count(b"\n")
            try:
                self._appender.append(lines)
            except RetryableError as error:
                written += count - lines.count(b"\n")
                if not written:
                    raise
                raise BatchError(dict.fromkeys(range(written, len(events)), error)) from error
            written += count

    def save_event_type(self, record: EventType) -> None:
        """Append an event-type record, as a line of its own kind: `{"event_type": {…}}`.

        It is also written at the start of each file opened later, so that every file documents
        itself. Several processes may each write it; readers return it once.

        Raises:
            RetryableError: the file cannot be opened or written, or its disk is full.
        """
        self._appender.save(record)

    def load_event_types(self) -> Iterator[EventType]:
        """Yield the records in the rotated files and the current one, each id once.

        Raises:
            RetryableError: a file cannot be read.
        """
        return event_types_in(self.written_files())

    def written_files(self) -> list[Path]:
        """Return the rotated files, oldest first, and the current one, which need not exist.

        Raises:
            OSError: the directory cannot be read.
        """
        rotated = self._rotation.rotated() if self._path.parent.exists() else []
        return [*(path for paths in rotated for path in paths), self._path]

    def shutdown(self, timeout: float) -> bool:
        """Close the file, and wait until rotated files are compressed and removed.

        The next event reopens the file.

        Args:
            timeout: seconds to wait; a file that isn't compressed by then stays uncompressed.

        Returns:
            Whether that finished in time.
        """
        self._appender.close()
        return self._tidying.finish(timeout)


def _chunks(events: Sequence[Event]) -> Iterator[bytearray]:
    """Yield the lines of events in chunks, in one reused buffer."""
    lines = bytearray()
    for line in events.texts if type(events) is JsonBatch else _lines(events):
        lines += line
        lines += b"\n"
        if len(lines) >= _CHUNK:
            yield lines
            lines.clear()
    if lines:
        yield lines


def _lines(events: Iterable[Event]) -> Iterator[bytearray]:
    """Yield the JSON of each event, in one reused buffer."""
    line = bytearray()
    for event in events:
        write_json(event, line)
        yield line


def _period(rotate_every: str | float | None) -> float | None:
    if rotate_every is None or rotate_every in _PERIODS:
        return None if rotate_every is None else _PERIODS[str(rotate_every)]
    if isinstance(rotate_every, str) or not rotate_every > 0:
        raise ValueError("rotate_every must be hour, day, or a positive number of seconds")
    return float(rotate_every)


def _check_compression(compression: Compression | None) -> None:
    if compression is None:
        return
    if compression not in get_args(Compression):
        raise ValueError("compress must be gzip or zstd")
    if not is_available(compression):
        raise ValueError("compress = zstd needs an extra: pip install 'eventtracking-file[zstd]'")
