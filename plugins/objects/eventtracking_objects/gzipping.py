"""Gzip by two threads, where there is much to compress.

Each compresses a half. The second half may refer back to the end of the first, so that both
together are one stream, about as small as that of one thread.
"""

from __future__ import annotations

import asyncio
import gzip
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from struct import pack
from typing import Final

__all__ = ["compress"]

LEVEL: Final = 1
"""Events compress to a tenth with it, and the highest level takes five times as long."""

LARGE: Final = 256 * 1024
"""Bytes for which a second thread pays."""

_WINDOW: Final = 32 * 1024
"""Bytes that the format can refer back to."""

_HEAD: Final = b"\x1f\x8b\x08" + bytes(5) + b"\x04\xff"
"""By RFC 1952, 2.3: deflated, without name and time, for speed, on an unknown system."""

_SIZES: Final = 1 << 32
"""What the stream has of a size is the rest of a division by it."""


async def compress(data: bytes) -> bytes:
    """Return data compressed."""
    if len(data) < LARGE or threading.Lock.__module__ != "_thread":  # greenlets would not help
        return gzip.compress(data, LEVEL, mtime=0)
    whole, middle = memoryview(data), len(data) // 2
    parts = (whole[middle:], zlib.Z_FINISH, whole[middle - _WINDOW : middle])
    # Of its own: a loop whose executor was used cannot be closed while the interpreter ends, and
    # the thread of a lasting one is missing after a fork.
    pool = ThreadPoolExecutor(1)
    try:
        second = asyncio.get_running_loop().run_in_executor(pool, _deflated, *parts)
    except RuntimeError:  # no thread can be started, as when the interpreter ends
        return gzip.compress(data, LEVEL, mtime=0)
    finally:
        pool.shutdown(wait=False)
    first = _deflated(whole[:middle], zlib.Z_SYNC_FLUSH, b"")
    end = pack("<II", zlib.crc32(data), len(data) % _SIZES)
    return b"".join([_HEAD, first, await second, end])


def _deflated(part: memoryview, mode: int, before: memoryview | bytes) -> bytes:
    """Return a part of a stream that ends as `mode` says, given what comes before it."""
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=before)
    return deflate.compress(part) + deflate.flush(mode)
