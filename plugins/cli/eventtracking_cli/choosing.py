"""The options by which commands choose where events come from, and which ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click

from eventtracking_cli import parameters
from eventtracking_core.sources import open_reader

__all__ = ["with_filters", "with_source", "with_source_and_filters"]


def with_source(run: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say where events come from; it gets the open reader."""

    @wraps(run)
    def opened(*, sources: tuple[str, ...], config: Path | None, **options: Any) -> None:
        with open_reader(sources, config) as reader:
            run(reader, **options)

    source = click.option(
        "--from",
        "--db",
        "sources",
        multiple=True,
        metavar="SOURCE",
        help="A database, a URI such as mongodb://… or s3://…, or a file of events; repeatable for"
        " files.",
    )
    return source(parameters.config(opened))


def with_source_and_filters(run: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that choose events, and those of `with_source`."""
    return with_source(with_filters(run))


def with_filters(run: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that choose events; it gets them as filters."""

    @wraps(run)
    def filtering(*arguments: Any, where: Sequence[tuple[str, str]], **options: Any) -> None:
        run(*arguments, where=dict(where), **options)

    command: Callable[..., None] = filtering
    for option in (
        click.option(
            "--where",
            multiple=True,
            type=parameters.condition,
            metavar="FIELD=VALUE",
            help="A field's value: context.course_id=c1, data.attempts=3; repeatable.",
        ),
        click.option("--user", type=parameters.text, metavar="TEXT", help="The user's id."),
        click.option("--until", type=parameters.time, metavar="TIME", help="Before this time."),
        click.option(
            "--since",
            type=parameters.time,
            metavar="TIME",
            help="From this time on: 2026-09-12, today, 10m, 2h, 3d, 1w.",
        ),
        click.option(
            "--name",
            type=parameters.text,
            metavar="GLOB",
            help="The event's name: 'edx.video.*'.",
        ),
    ):
        command = option(command)
    return command
