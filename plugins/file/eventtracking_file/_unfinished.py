"""Repair partial lines: the disk was full, or a process was killed while it wrote."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from os.path import samestat
from pathlib import Path
from typing import Final

from eventtracking_core.files.descriptors import descriptor_of

__all__ = ["blank", "end_last_line", "part_lines"]

# What may follow a partial line: nothing, another line, or a newline from another process.
_AFTER: Final = re.compile(rb'\Z|\{"|\n')
# How many bytes other processes may have appended to a partial line before it is searched.
_APPENDED: Final = 4 * 2**20

_PAGE: Final = 4096
"""If a killed process's write is partial, it ends at a page boundary."""

_HEAD: Final = re.compile(rb'\{"id":"')
_SEARCHED: Final = 64 * 2**10
"""Maximum bytes in which starts of lines are searched at every position."""


def blank(path: Path, line: bytes) -> None:
    """Overwrite a partial line with a blank one, whether or not other lines follow it.

    The file isn't truncated, since another process may have appended. Overwriting needs no space.

    Args:
        path: the file.
        line: the part of the line that was written.

    Raises:
        OSError: the file cannot be changed.
    """
    with descriptor_of(path, os.O_RDWR) as descriptor:
        size = os.fstat(descriptor).st_size
        start = max(0, size - len(line) - _APPENDED)
        position = _find(line, os.pread(descriptor, size - start, start))
        if position >= 0:
            os.pwrite(descriptor, b" " * (len(line) - 1) + b"\n", start + position)


def end_last_line(path: Path, descriptor: int) -> None:
    """End the last line of a file if it is partial, so that the next append begins a new line.

    Args:
        path: the file.
        descriptor: open for appending to it.

    Raises:
        OSError: the file cannot be read or written.
    """
    if not path.is_file():
        return
    with suppress(FileNotFoundError), path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if not size or not samestat(os.fstat(file.fileno()), os.fstat(descriptor)):
            return
        file.seek(size - 1)
        if file.read(1) == b"\n":
            return
        # Another process may be writing this line now. The kernel serialises operations on a file,
        # so `utime` returns after that write, and the file has grown.
        os.utime(descriptor)
        if file.seek(0, os.SEEK_END) == size:
            os.write(descriptor, b"\n")


def part_lines(descriptor: int, start: int, end: int, begin: int | None = None) -> None:
    """End each partial line between two positions that another line was appended to.

    The last byte of a partial line becomes a newline.

    Args:
        descriptor: open for reading and writing at any position.
        start: the first position.
        end: the last position.
        begin: the position at which a line was appended, if it is known.

    Raises:
        OSError: the file cannot be read or written.
    """
    start = max(start, end - _APPENDED)
    before = max(0, start - 1)
    text = os.pread(descriptor, end - before, before)
    places = {*range(start + -start % _PAGE, end, _PAGE), end if begin is None else begin}
    if len(text) <= _SEARCHED:
        places.update(before + match.start() for match in _HEAD.finditer(text))
    for place in places:
        at = place - before
        if at > 0 and text.startswith(b'{"', at) and text[at - 1 : at] != b"\n":
            line, newline, _ = text[at:].partition(b"\n")
            if newline and _is_json(line):  # and not the rest of one line
                os.pwrite(descriptor, b"\n", place - 1)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _find(line: bytes, text: bytes) -> int:
    position = text.find(line)
    while position >= 0:
        begins = position == 0 or text[position - 1 : position] == b"\n"
        if begins and _AFTER.match(text, position + len(line)):
            return position
        position = text.find(line, position + 1)
    return -1
