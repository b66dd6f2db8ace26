"""The sources of a catalogue: code, stores, logs, and catalogues that were saved."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Protocol, Self

import click

from eventtracking_catalog.collecting import Collection
from eventtracking_catalog.model import Catalogue
from eventtracking_catalog.sources.code import Code
from eventtracking_catalog.sources.log import Log
from eventtracking_catalog.sources.saved import FILE_NAME, Saved, is_saved
from eventtracking_catalog.sources.store import Records, Store
from eventtracking_core._text import counted, printable
from eventtracking_core.config import build, read
from eventtracking_core.errors import RetryableError
from eventtracking_core.logs import LogFiles
from eventtracking_core.reading import EventReader
from eventtracking_core.sources import (
    SourceError,
    find_reader,
    first_reader,
    is_configuration,
    scheme,
)

__all__ = ["Source", "Sources", "collect_catalogue"]

SHUTDOWN_TIMEOUT: Final = 5.0
"""Seconds."""

_MODULE: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_STDIN: Final = "-"


class Source(Protocol):
    """Something that knows of event types or of events."""

    title: str
    """What it is called on a page."""

    def collect(self, into: Collection, /) -> None:
        """Tell all of it."""

    def counts(self) -> Mapping[str, int]:
        """Return how many events there are by now, by name."""


Report = Callable[[Path, int], object]


def collect_catalogue(
    names: Iterable[str], config: Path | None = None, report: Report | None = None
) -> Catalogue:
    """Return the catalogue of all sources together; see `Sources`.

    Raises:
        ClickException: no line of the logs is an event, and there is no other source of types.
    """
    named = tuple(names)
    with Sources(named, config, report) as sources:
        catalogue = sources.catalogue()
    if catalogue.rejected and not catalogue.entries:
        title = printable(", ".join(named) or "the configuration's store")
        lines = counted(catalogue.rejected, "line")
        raise click.ClickException(f"{title}: {lines} read, and none is an event")
    return catalogue


class Sources:
    """The sources that a user named; a context manager, at whose end stores are closed.

    Args:
        names: modules by their dotted names, logs, SQLite databases, URIs of MongoDB, PostgreSQL
            and ClickHouse, saved catalogues or directories that hold one, configurations that have
            a store. Without any, the store of the configuration.
        config: a configuration's file, whose routing tree is included; without one and without
            sources, the default configuration.
        report: called now and then with the path of a log and how many of its bytes have been read.

    Raises:
        ClickException: a source is none of these.
        ConfigurationError: the configuration cannot be used.
        OSError: a source cannot be read.
    """

    def __init__(
        self, names: Iterable[str], config: Path | None = None, report: Report | None = None
    ) -> None:
        self._report = report
        named = tuple(names)
        self._stack = ExitStack()
        self._routing: Mapping[str, object] | None = None
        self._sources: list[Source] = []
        if config is not None or not named:
            self._add_configuration(config, with_store=not named)
        for name in named:
            self._add(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def catalogue(self) -> Catalogue:
        """Return the catalogue that they have now.

        Raises:
            ClickException: a module cannot be imported, a saved catalogue is damaged.
            EventTrackingError: a store or a log cannot be read.
            OSError: likewise.
        """
        into = Collection()
        into.routing = self._routing
        for source in self._sources:
            into.sources.append(source.title)
            try:
                source.collect(into)
            except RetryableError as error:  # of a store, which knows neither its path nor its URI
                raise SourceError(f"{source.title}: {error}") from error
        return into.catalogue()

    def counts(self) -> dict[str, int]:
        """Return how many events there are by now, by name."""
        total: dict[str, int] = {}
        for source in self._sources:
            for name, number in source.counts().items():
                total[name] = total.get(name, 0) + number
        return total

    def _add_configuration(self, config: Path | None, *, with_store: bool) -> None:
        configuration = read(config)
        tree = build(configuration)
        self._routing = {"name": "tracker", "type": "router", **tree.root.stats(0)}
        if not with_store:
            return
        if tree.metadata is not None:
            self._sources.append(Records("the metadata store", tree.metadata))
        store = first_reader(tree.root)
        if store is None:
            message = "no backend of the configuration can be read: name a source with --from"
            raise click.ClickException(message)
        self._add_store(configuration.source, store)

    def _add(self, name: str) -> None:
        path = Path(name)
        if server := scheme(name):
            self._add_store(f"{server}://…", find_reader(name))  # the address may hold a password
        elif name == _STDIN:
            self._sources.append(Log(path, self._report))
        elif path.is_dir() and (path / FILE_NAME).is_file():
            self._sources.append(Saved(path / FILE_NAME))
        elif path.is_file() and is_configuration(path):
            self._add_configuration(path, with_store=True)
        elif path.is_file():
            self._add_file(path)
        elif path.is_dir() and not (path / "__init__.py").is_file():
            message = f"{name} is a directory: name a file, a module or a catalogue"
            raise click.ClickException(message)
        elif _MODULE.fullmatch(name):
            self._sources.append(Code(name))
        else:
            raise click.ClickException(f"{name}: no such file, and no name of a module")

    def _add_file(self, path: Path) -> None:
        if path.suffix == ".py":
            message = f"{path}: name the module, not its file: {path.stem}"
            raise click.ClickException(message)
        if is_saved(path):
            self._sources.append(Saved(path))
            return
        reader = find_reader(str(path))
        if isinstance(reader, LogFiles):
            self._sources.append(Log(path, self._report))
        else:
            self._add_store(path.name, reader)

    def _add_store(self, title: str, backend: EventReader) -> None:
        shutdown = getattr(backend, "shutdown", None)
        if callable(shutdown):
            self._stack.callback(shutdown, SHUTDOWN_TIMEOUT)
        self._sources.append(Store(title, backend))
