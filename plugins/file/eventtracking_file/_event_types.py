"""Event-type records in files of events."""

from __future__ import annotations

import errno
import gzip
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final, cast

from eventtracking_core import EventType, RetryableError
from eventtracking_file._openfile import OpenFile
from eventtracking_file._unfinished import blank

__all__ = ["event_types_in", "write_missing"]

_HEAD: Final = b'{"event_type":'
_SEARCHED: Final = 2**20
"""Bytes at the start of an existing file that are searched for records."""

# A compressed file may be truncated; a file may be removed at any moment.
_DAMAGED: Final = (FileNotFoundError, EOFError, gzip.BadGzipFile, zlib.error)


def write_missing(file: OpenFile, path: Path, records: Mapping[str, EventType]) -> bool:
    """Write the records that a file lacks; return whether there were any.

    Args:
        file: the open file, which caches the ids of its records.
        path: its path.
        records: the records by id.

    Raises:
        OSError: not all records could be written.
    """
    if not records:
        return False
    if file.recorded is None:
        file.recorded = _recorded(path) if file.size else set()
    new = {key: record for key, record in records.items() if key not in file.recorded}
    lines = "".join(f"{record.to_line()}\n" for record in new.values()).encode()
    written = os.write(file.descriptor, lines) if lines else 0
    if written != len(lines):
        if unfinished := lines[lines.rfind(b"\n", 0, written) + 1 : written]:
            with suppress(OSError):  # otherwise the line is ended when the file is next opened
                blank(path, unfinished)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    file.recorded.update(new)
    file.size += written
    return bool(new)


def _recorded(path: Path) -> set[str]:
    """Return the ids of the records at the start of an existing file."""
    with suppress(OSError), path.open("rb") as lines:
        return {record.id for record in _records(lines.readlines(_SEARCHED))}
    return set()


def event_types_in(paths: Iterable[Path]) -> Iterator[EventType]:
    """Yield the records in files, each id once; skip invalid lines.

    Raises:
        RetryableError: a file cannot be read.
    """
    seen = set()
    for path in paths:
        if path.exists() and not path.is_file():  # opening a pipe would block
            continue
        try:
            with suppress(*_DAMAGED), _opened(path) as lines:
                for record in _records(lines):
                    if record.id not in seen:
                        seen.add(record.id)
                        yield record
        except OSError as error:
            raise RetryableError(f"cannot read the file: {error.strerror}") from error


def _records(lines: Iterable[bytes]) -> Iterator[EventType]:
    for line in lines:
        if line.startswith(_HEAD):
            with suppress(ValueError, KeyError):
                yield EventType.from_dict(json.loads(line)["event_type"])


def _opened(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return cast("BinaryIO", gzip.open(path))
    if path.suffix == ".zst":
        import zstandard  # noqa: PLC0415  optional

        return BufferedReader(zstandard.open(path))
    return path.open("rb")
