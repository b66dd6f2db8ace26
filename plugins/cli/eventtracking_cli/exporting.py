"""Write events to a file that other tools read: CSV, NDJSON, Parquet."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Self

import click
import msgspec

from eventtracking_cli.flattening import Row, check_number, flatten, in_order
from eventtracking_cli.tabulating import write_csv
from eventtracking_core import Event
from eventtracking_core._text import encodable
from eventtracking_core.encoding import encode_json

__all__ = ["FORMATS", "STDOUT", "write"]

STDOUT: Final = Path("-")

ROWS: Final = 10_000
"""Rows that are written to a Parquet file at a time."""

_EXACT: Final = 2**53
"""Integers up to this one are exact as floats."""

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Row).decode


def _ndjson(events: Iterable[Event], file: BinaryIO) -> None:
    file.writelines(encode_json(event) + b"\n" for event in events)


def _parquet(events: Iterable[Event], file: BinaryIO) -> None:
    try:
        import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415  few need it
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        message = "Parquet needs pyarrow: pip install 'eventtracking-cli[parquet]'"
        raise click.ClickException(message) from error

    types = {
        "timestamp": pa.timestamp("us", tz="UTC"),
        "bool": pa.bool_(),
        "int": pa.int64(),
        "float": pa.float64(),
        "text": pa.string(),
    }
    with _Table(events) as table:
        kinds = _kinds(table)
        schema = pa.schema([(column, types[kind]) for column, kind in kinds.items()])
        with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
            rows = table.rows()
            while batch := list(islice(rows, ROWS)):
                arrays = [
                    pa.array([_converted(row.get(column), kind) for row in batch], types[kind])
                    for column, kind in kinds.items()
                ]
                writer.write_table(pa.table(arrays, schema=schema))


FORMATS: Final[Mapping[str, Callable[[Iterable[Event], BinaryIO], None]]] = {
    "csv": write_csv,
    "ndjson": _ndjson,
    "parquet": _parquet,
}


def write(form: str, events: Iterable[Event], output: Path) -> int:
    """Write events in a format, one of `FORMATS`; return how many.

    Args:
        form: the format.
        events: what to write.
        output: the file, which is there when it is complete; `-` for the standard output.
    """
    number = 0

    def numbered() -> Iterator[Event]:
        nonlocal number
        for event in events:
            number += 1
            yield event

    if output == STDOUT:
        FORMATS[form](numbered(), sys.stdout.buffer)
        return number
    is_device = output.exists() and not output.is_file()  # or a pipe: no other takes its place
    with output.open("wb") if is_device else _created(output) as file:
        FORMATS[form](numbered(), file)
    return number


@contextmanager
def _created(path: Path) -> Iterator[BinaryIO]:
    """Write a file aside, and put it in its place when it is complete."""
    try:
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123  by descriptor
            yield file
        umask = os.umask(0)
        os.umask(umask)
        Path(draft).chmod(0o666 & ~umask)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


class _Table:
    """Events as rows of columns: what the columns are is known when all events have been seen.

    Args:
        events: they are read when the table is entered, and kept in a temporary file.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        self._events = events
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed by __exit__
        self.columns: list[str] = []

    def __enter__(self) -> Self:
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise
        return self

    def _read(self) -> None:
        columns: dict[str, None] = {}  # in the order of their first values
        for event in self._events:
            row = flatten(event)
            try:
                text = _encode(row)
            except UnicodeEncodeError:  # half a character, from a log
                row = encodable(row)
                text = _encode(row)
            if not row.keys() <= columns.keys():
                columns.update(dict.fromkeys(row))
                check_number(columns)
            self._file.write(text + b"\n")
        self.columns = in_order(columns)

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def rows(self) -> Iterator[Row]:
        """Yield the rows."""
        self._file.seek(0)
        return map(_decode, self._file)


def _kinds(table: _Table) -> dict[str, str]:
    """Return the kind that all values of each column have, or can be converted to."""
    kinds_of: dict[str, set[str]] = {column: set() for column in table.columns}
    for row in table.rows():
        for column, value in row.items():
            kinds_of[column].add(_kind(value))
    return {column: _common(column, kinds - {"null"}) for column, kinds in kinds_of.items()}


def _common(column: str, kinds: set[str]) -> str:
    if column == "timestamp":
        return "timestamp"
    if kinds in ({"int"}, {"big"}, {"int", "big"}):
        return "int"
    if kinds in ({"float"}, {"int", "float"}):
        return "float"
    return kinds.pop() if len(kinds) == 1 else "text"


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if abs(value) <= _EXACT else "big"
    return "float" if isinstance(value, float) else "text"


def _converted(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "timestamp":
        return datetime.fromisoformat(value)
    if kind == "float":
        return float(value)
    if kind == "text":
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value
