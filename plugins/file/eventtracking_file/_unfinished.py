"""Lines that were written in part: the disk was full, or the process was killed."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from os.path import samestat
from pathlib import Path
from typing import Final

__all__ = ["blank", "end_last_line", "part_lines"]

# What may follow an unfinished line: nothing, another line, or an end that somebody gave it.
_AFTER: Final = re.compile(rb'\Z|\{"|\n')
# How much others may have appended to an unfinished line before it is looked for.
_APPENDED: Final = 4 * 2**20

_PAGE: Final = 4096
"""A killed process's write ends at the end of a page, if it does not end as a whole."""

_HEAD: Final = re.compile(rb'\{"id":"')
_SEARCHED: Final = 64 * 2**10
"""Bytes in which the beginnings of lines are looked for at all places."""


def blank(path: Path, line: bytes) -> None:
    """Make a blank line of an unfinished one, with or without other lines after it.

    Nothing is cut off: another process may have appended by now. Overwriting needs no room.

    Args:
        path: the file.
        line: the part of the line that was written.

    Raises:
        OSError: the file cannot be changed.
    """
    descriptor = os.open(path, os.O_RDWR)
    try:
        size = os.fstat(descriptor).st_size
        start = max(0, size - len(line) - _APPENDED)
        position = _find(line, os.pread(descriptor, size - start, start))
        if position >= 0:
            os.pwrite(descriptor, b" " * (len(line) - 1) + b"\n", start + position)
    finally:
        os.close(descriptor)


def end_last_line(path: Path, descriptor: int) -> None:
    """Let what is appended begin a new line, where the file ends in the middle of one.

    Args:
        path: the file.
        descriptor: where it is appended to.

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
        # It may be a part of what somebody is writing just now. This waits until that is done,
        # because the kernel does one thing after another to a file, and then there is more of it.
        os.utime(descriptor)
        if file.seek(0, os.SEEK_END) == size:
            os.write(descriptor, b"\n")


def part_lines(descriptor: int, start: int, end: int, begin: int | None = None) -> None:
    """End each unfinished line between two positions that another line was appended to.

    The last byte of what is unfinished becomes a newline.

    Args:
        descriptor: to read, and to write at any position.
        start: where to begin.
        end: where to end.
        begin: where a line was appended, if that is known.

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
