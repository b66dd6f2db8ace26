"""The body of a request, bounded on the wire and inflated, while it arrives."""

from __future__ import annotations

import zlib
from typing import Final

from eventtracking_web.collecting.answers import RefusedError

__all__ = ["MAX_INFLATED", "MAX_WIRE", "Body"]

MAX_WIRE: Final = 256 * 1024
MAX_INFLATED: Final = 1024 * 1024
_GZIP: Final = 16 + zlib.MAX_WBITS


class Body:
    """Collects the chunks of a body.

    Args:
        encoding: the value of `Content-Encoding`.
        length: the value of `Content-Length`, if there is one.

    Raises:
        RefusedError: the encoding is unknown, or the length is wrong or too large.
    """

    def __init__(self, encoding: str, length: str | None) -> None:
        if encoding not in {"", "identity", "gzip"}:
            raise RefusedError(415, "Content-Encoding must be gzip, or be left out")
        if length is not None:
            if not (length.isascii() and length.isdigit()):
                raise RefusedError(400, "Content-Length must be a number")
            if len(length) > 12 or int(length) > MAX_WIRE:  # noqa: PLR2004  digits
                raise RefusedError(413, f"a body may have {MAX_WIRE} bytes")
        self._wire = 0
        self._data = bytearray()
        self._inflater = zlib.decompressobj(_GZIP) if encoding == "gzip" else None

    def __len__(self) -> int:
        return len(self._data)

    def add(self, chunk: bytes) -> None:
        """Take a chunk.

        Raises:
            RefusedError: there are too many bytes, or they are not gzip.
        """
        self._wire += len(chunk)
        if self._wire > MAX_WIRE:
            raise RefusedError(413, f"a body may have {MAX_WIRE} bytes")
        if self._inflater is not None:
            chunk = self._inflate(self._inflater, chunk)
        self._data += chunk
        if len(self._data) > MAX_INFLATED:
            raise RefusedError(413, f"a body may have {MAX_INFLATED} bytes when it is inflated")

    def end(self) -> bytes:
        """Return the whole body.

        Raises:
            RefusedError: the gzip stream is cut off.
        """
        if self._inflater is not None and not self._inflater.eof:
            raise RefusedError(400, "the gzip stream is cut off")
        return bytes(self._data)

    def _inflate(self, inflater: zlib._Decompress, chunk: bytes) -> bytes:
        room = MAX_INFLATED + 1 - len(self._data)
        try:
            inflated = inflater.decompress(chunk, room)
        except zlib.error:
            raise RefusedError(400, "the body is not gzip") from None
        if inflater.unused_data:
            raise RefusedError(400, "there is something after the gzip stream")
        return inflated
