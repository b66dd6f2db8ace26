"""The contents of an object: events as lines of JSON, or as rows of Parquet."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal

from eventtracking_core import Event, EventTrackingError
from eventtracking_core.encoding import decode_json

__all__ = ["Compression", "Format", "events_of", "line_writer", "suffix_of"]

Format = Literal["ndjson", "parquet"]
Compression = Literal["none", "gzip", "zstd"]

GZIP_LEVEL: Final = 1
"""Events compress to a tenth with it, and the highest level takes five times as long."""

_SUFFIXES: Final = {"none": "ndjson", "gzip": "ndjson.gz", "zstd": "ndjson.zst"}


def suffix_of(form: Format, compression: Compression) -> str:
    """Return what names of objects end with."""
    return "parquet" if form == "parquet" else _SUFFIXES[compression]


def line_writer(compression: Compression) -> Callable[[Sequence[bytes]], bytes]:
    """Return the function that makes an object of lines.

    Raises:
        ValueError: its package is not installed.
    """
    if compression == "none":
        return _lines
    if compression == "gzip":
        return lambda texts: gzip.compress(_lines(texts), GZIP_LEVEL, mtime=0)
    try:
        import zstandard  # noqa: PLC0415  an extra
    except ImportError as error:
        raise ValueError(
            "compression zstd needs zstandard: pip install 'eventtracking-objects[zstd]'"
        ) from error
    return lambda texts: zstandard.ZstdCompressor().compress(_lines(texts))


def events_of(data: bytes, suffix: str) -> Sequence[Event]:
    """Return the events of an object, ordered by id.

    Raises:
        EventTrackingError: it is damaged, or of a format that is not read here.
    """
    reader = _READERS.get(suffix)
    if reader is None:
        raise EventTrackingError(f"objects that end with .{suffix} are not read")
    try:
        return [decode_json(line) for line in reader(data) if line]
    except ImportError as error:
        extra = "pip install 'eventtracking-objects[parquet,zstd]'"
        raise EventTrackingError(f"reading .{suffix} needs {error.name}: {extra}") from error
    except Exception as error:  # noqa: BLE001  each library has its own
        kind = type(error).__name__
        raise EventTrackingError(
            f"an object that ends with .{suffix} is damaged ({kind})"
        ) from None


def _lines(texts: Sequence[bytes]) -> bytes:
    return b"\n".join([*texts, b""])


def _unzstd(data: bytes) -> list[bytes]:
    import zstandard  # noqa: PLC0415  an extra

    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)) as stream:
        return stream.read().split(b"\n")


def _parquet(data: bytes) -> Iterable[str]:
    from eventtracking_objects.tables import texts  # noqa: PLC0415  imports an extra

    return texts(data)


_READERS: Final[Mapping[str, Callable[[bytes], Iterable[bytes | str]]]] = {
    "ndjson": lambda data: data.split(b"\n"),
    "ndjson.gz": lambda data: gzip.decompress(data).split(b"\n"),
    "ndjson.zst": _unzstd,
    "parquet": _parquet,
}
