"""Open what a user names to read events from: a database, a server, files, a configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from eventtracking_core.errors import ConfigurationError, EventTrackingError, RetryableError
from eventtracking_core.logs import STDIN, LogFiles
from eventtracking_core.plugins import plugins
from eventtracking_core.reading import EventReader
from eventtracking_core.routing import RoutingBackend

__all__ = [
    "SourceError",
    "find_reader",
    "first_reader",
    "is_configuration",
    "is_database",
    "open_reader",
    "scheme",
]

SHUTDOWN_TIMEOUT: Final = 5.0
"""Seconds."""

_SERVERS: Final = {
    "abfs": "objects",
    "abfss": "objects",
    "az": "objects",
    "clickhouse": "clickhouse",
    "clickhouses": "clickhouse",
    "file": "objects",
    "gs": "objects",
    "mongodb": "mongo",
    "mongodb+srv": "mongo",
    "postgres": "postgres",
    "postgresql": "postgres",
    "s3": "objects",
}
"""The backend that reads events from a store, by the scheme of its address."""

_ADDRESS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SQLITE: Final = b"SQLite format 3\0"
_CONFIGURATIONS: Final = frozenset({".toml", ".yaml", ".yml"})


class SourceError(EventTrackingError):
    """Events cannot be read from what was named; the message says why, and what to do."""


@contextmanager
def open_reader(names: Sequence[str] = (), config: Path | None = None) -> Iterator[EventReader]:
    """Open a source of events, and close it in the end.

    Args:
        names: an SQLite database, a URI such as `mongodb://…`, `postgresql://…` or `s3://…`, a
            configuration that has a store, or files of events, of which there may be several (`-`
            for the standard input). Without any, the store of the configuration.
        config: a configuration's file; the default one without.

    Raises:
        SourceError: events cannot be read from it.
        ConfigurationError: the configuration cannot be used.
        PluginError: the plugin for the database is not installed.
        OSError: it cannot be opened.
    """
    reader = _reader(names, config)
    try:
        yield reader
    except RetryableError as error:
        if len(names) == 1 and not (_ADDRESS.match(names[0]) or is_configuration(Path(names[0]))):
            raise SourceError(f"{names[0]}: {error}") from error
        raise
    finally:
        shutdown = getattr(reader, "shutdown", None)
        if callable(shutdown):
            shutdown(SHUTDOWN_TIMEOUT)


def find_reader(name: str) -> EventReader:
    """Return the reader of one source; see `open_reader`."""
    if not name:
        raise SourceError("a source needs a name: a database, an address or a file of events")
    if address := _ADDRESS.match(name):
        return _stored(address[1], name)
    path = Path(name)
    if is_configuration(path):
        return _configured(path)
    if path != STDIN and is_database(path):
        return _queried(plugins.find("backend", "sqlite")(path=name))
    return LogFiles([path])


def scheme(name: str) -> str | None:
    """Return the scheme of a store's address, None if it is the address of no known store."""
    address = _ADDRESS.match(name)
    return address[1] if address and address[1] in _SERVERS else None


def is_configuration(path: Path) -> bool:
    """Return whether a path looks like that of a configuration."""
    return path.suffix in _CONFIGURATIONS


def is_database(path: Path) -> bool:
    """Return whether a file is an SQLite database.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def first_reader(root: RoutingBackend) -> EventReader | None:
    """Return the first backend of a routing tree that can be read, or None."""
    backends = (leaf.registered for leaf in root.leaves())
    readers = (backend for backend in backends if isinstance(backend, EventReader))
    return next(readers, None)


def _reader(names: Sequence[str], config: Path | None) -> EventReader:
    if not names:
        return _configured(config)
    if len(names) == 1:
        return find_reader(names[0])
    return LogFiles(list(_logs(names)))


def _logs(names: Iterable[str]) -> Iterator[Path]:
    for name in names:
        path = Path(name)
        if path != STDIN and (_ADDRESS.match(name) or is_configuration(path) or is_database(path)):
            raise SourceError("several sources must all be files of events")
        yield path


def _configured(config: Path | None) -> EventReader:
    from eventtracking_core.config import build, read  # noqa: PLC0415  files need none

    try:
        configuration = read(config)
    except ConfigurationError as error:
        if config is not None or error.source != "configuration":
            raise
        raise SourceError(
            "name where events are stored with --from, or a configuration with --config"
        ) from error
    reader = first_reader(build(configuration).root)
    if reader is None:
        raise SourceError(
            "no backend of the configuration can be read: add one of type sqlite, mongo, postgres, "
            "clickhouse or objects, or name a database or files of events with --from"
        )
    return reader


def _stored(scheme: str, uri: str) -> EventReader:
    """Return the reader of a store; messages name the scheme alone: a URI may hold a password."""
    if scheme not in _SERVERS:
        known = ", ".join(f"{each}://" for each in _SERVERS)
        raise SourceError(f"no store has an address that begins with {scheme}://; known: {known}")
    try:
        return _queried(plugins.find("backend", _SERVERS[scheme])(uri=uri))
    except (TypeError, ValueError) as error:
        raise SourceError(f"{scheme}://…: {error}") from error


def _queried(backend: object) -> EventReader:
    if not isinstance(backend, EventReader):
        raise SourceError("a backend of this type cannot be read: upgrade its plugin")
    return backend
