"""Look at dead letters, send them once more, or remove them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click
from rich.progress import Progress

from eventtracking_cli import parameters
from eventtracking_cli.buffered import backend, chosen, leaves_of, tracking
from eventtracking_cli.terminal import console, count, plain, print_json, print_rows
from eventtracking_core import Tracker
from eventtracking_core.delivery import BufferedLeaf, DeadLetter

__all__ = ["deadletters"]

FLUSH_TIMEOUT: Final = 60.0
"""Seconds in which one segment of dead letters must be settled."""

Wanted = Callable[[DeadLetter], bool]


@click.group()
def deadletters() -> None:
    """Look at undelivered events, or send them again."""


@deadletters.command("list")
@parameters.config
@backend
@parameters.as_json
def list_(config: Path | None, backend: str | None, *, as_json: bool) -> None:
    """List the dead letters, oldest first."""
    rows = [_row(letter) for leaf in leaves_of(config, backend) for letter in _letters(leaf)]
    columns = ("id", "event", "backend", "reason", "attempts", "given up", "error")
    print_rows(rows, *columns, otherwise="there are no dead letters", as_json=as_json)


@deadletters.command()
@click.argument("event_id", metavar="ID")
@parameters.config
def show(event_id: str, config: Path | None) -> None:
    """Show one dead letter with its event."""
    for leaf in leaves_of(config, None):
        for letter in _letters(leaf):
            if _id(letter) == event_id:
                print_json({**_row(letter), "event": _event(letter)})
                return
    raise click.ClickException("there is no dead letter of an event with that id")


@deadletters.command()
@click.argument("event_ids", metavar="[ID]...", nargs=-1)
@parameters.config
@backend
def replay(event_ids: tuple[str, ...], config: Path | None, backend: str | None) -> None:
    """Deliver dead letters once more: all of them, or those of the events named.

    A letter is removed when its event is settled, never before: stopping at any moment loses
    nothing, and what is sent twice is stored once by every sink that knows an event by its id.
    Exits 1 where letters remain or new ones came.
    """
    wanted = set(event_ids)
    with tracking(config) as tracker:
        leaves = chosen(tracker.root.leaves(), backend)
        before = sum(leaf.ledger.dead_lettered.value for leaf in leaves)
        segments = [(leaf, path) for leaf in leaves for path in leaf.dead_letters.segments()]
        sent = 0
        with Progress(console=console(stderr=True), transient=True) as progress:
            for leaf, path in progress.track(segments, description="replaying"):
                sent += _replay(
                    tracker, leaf, path, lambda letter: not wanted or _id(letter) in wanted
                )
        again = sum(leaf.ledger.dead_lettered.value for leaf in leaves) - before
    left = sum(1 for leaf in leaves for _ in leaf.dead_letters.letters())
    click.echo(f"{count(sent - again, 'letter')} delivered, {again} given up again, {left} left")
    if again or (left and not wanted):
        raise click.exceptions.Exit(1)


@deadletters.command()
@parameters.config
@backend
@click.option("--before", metavar="TIME", help="Only those given up before: 2026-09-12, or 7d.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(config: Path | None, backend: str | None, before: str | None, *, yes: bool) -> None:
    """Remove dead letters for good."""
    limit = parameters.time(before) if before else None
    leaves = leaves_of(config, backend)
    number = sum(_is_older(letter, limit) for leaf in leaves for letter in _letters(leaf))
    if not number:
        click.echo("there is nothing to remove")
        return
    if not yes:
        click.confirm(f"Remove {count(number, 'letter')} for good?", abort=True)
    removed = 0
    for leaf in leaves:
        for path in leaf.dead_letters.segments():
            with leaf.dead_letters.claimed(path) as is_ours:
                if is_ours:
                    letters = list(leaf.dead_letters.read(path))
                    kept = [letter for letter in letters if not _is_older(letter, limit)]
                    leaf.dead_letters.replace(path, kept)
                    removed += len(letters) - len(kept)
    click.echo(f"{count(removed, 'letter')} removed")


def _replay(tracker: Tracker, leaf: BufferedLeaf, path: Path, wanted: Wanted) -> int:
    """Deliver the wanted letters of one segment; return how many were settled."""
    with leaf.dead_letters.claimed(path) as is_ours:
        if not is_ours:
            click.echo(f"{plain(path.name)} is in use, left alone", err=True)
            return 0
        replayed: list[DeadLetter] = []
        kept: list[DeadLetter] = []
        for letter in leaf.dead_letters.read(path):
            (replayed if _event(letter) and wanted(letter) else kept).append(letter)
        dropped = sum(leaf.ledger.dropped_by_reason().values())
        for letter in replayed:
            leaf.deliver(letter.event)
        settled = tracker.flush(FLUSH_TIMEOUT)
        if not settled or sum(leaf.ledger.dropped_by_reason().values()) > dropped:
            click.echo(f"{plain(leaf.path)}: not delivered now, the letters are kept", err=True)
            return 0
        leaf.dead_letters.replace(path, kept)
        return len(replayed)


def _letters(leaf: BufferedLeaf) -> Iterator[DeadLetter]:
    return leaf.dead_letters.letters()


def _is_older(letter: DeadLetter, limit: datetime | None) -> bool:
    return limit is None or letter.time < limit


def _event(letter: DeadLetter) -> Any:
    try:
        return letter.event
    except ValueError:  # it was given up because its bytes are no event
        return None


def _id(letter: DeadLetter) -> str | None:
    event = _event(letter)
    return event.get("id") if event else None


def _row(letter: DeadLetter) -> dict[str, Any]:
    event = _event(letter) or {}
    return {
        "id": event.get("id"),
        "name": event.get("name"),
        "backend": letter.backend,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "time": letter.time.isoformat(),
        "error": letter.error,
    }
