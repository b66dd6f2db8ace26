"""Compress a rotated file to which other processes may still append."""

from __future__ import annotations

import gzip
import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from os.path import samestat
from pathlib import Path
from shutil import copyfileobj
from typing import BinaryIO, Final, Literal

from eventtracking_core.files.descriptors import descriptor_of
from eventtracking_core.files.locks import lock

__all__ = ["EXTENSIONS", "Compression", "compress", "is_available"]

Compression = Literal["gzip", "zstd"]

_LEVEL: Final = 6
_CHUNK: Final = 2**18


def is_available(compression: Compression) -> bool:
    """Return whether the libraries for a compression are installed."""
    return compression == "gzip" or find_spec("zstandard") is not None


def compress(source: Path, compression: Compression) -> bool:
    """Replace a file by a compressed one, unless a process has it open for writing.

    The source is removed only once the compressed file is complete and on disk.

    Returns:
        True if the source is done; False if it must be tried again.

    Raises:
        OSError: a file cannot be read or written; the source is unchanged.
    """
    target = source.with_name(source.name + _EXTENSIONS[compression])
    temporary = source.with_name(f".{target.name}.tmp")
    with suppress(FileNotFoundError), source.open("rb") as reader:
        try:
            lock(reader)
        except BlockingIOError:
            return False
        if samestat(source.stat(), os.fstat(reader.fileno())):
            try:
                _write(reader, temporary, compression)
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
            source.unlink()
    return True


def _write(reader: BinaryIO, path: Path, compression: Compression) -> None:
    """Write a compressed file with the source's permissions."""
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with (
        descriptor_of(path, flags) as descriptor,
        os.fdopen(descriptor, "wb", closefd=False) as writer,
    ):
        _WRITERS[compression](reader, writer)
        writer.flush()
        os.fchmod(descriptor, stat.S_IMODE(os.fstat(reader.fileno()).st_mode))
        os.fsync(descriptor)


def _gzip(reader: BinaryIO, writer: BinaryIO) -> None:
    with gzip.GzipFile("", "wb", _LEVEL, writer) as compressed:
        copyfileobj(reader, compressed, _CHUNK)


def _zstd(reader: BinaryIO, writer: BinaryIO) -> None:
    from zstandard import ZstdCompressor  # noqa: PLC0415  optional

    ZstdCompressor(write_checksum=True).copy_stream(reader, writer)


_EXTENSIONS: Final[Mapping[Compression, str]] = {"gzip": ".gz", "zstd": ".zst"}
_WRITERS: Final[Mapping[Compression, Callable[[BinaryIO, BinaryIO], None]]] = {
    "gzip": _gzip,
    "zstd": _zstd,
}

EXTENSIONS: Final = tuple(_EXTENSIONS.values())
"""The suffixes of compressed files."""
