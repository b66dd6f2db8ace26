"""Look at dead letters, send them once more, or remove them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from textwrap import fill
from typing import Any, Final

import click
from rich.progress import Progress

from eventtracking_cli import parameters
from eventtracking_cli.buffered import backend, leaves_of, select_buffered
from eventtracking_cli.groups import Group
from eventtracking_cli.listing import cut, full_time, terminal_width
from eventtracking_cli.session import open_tracker
from eventtracking_cli.terminal import console, count, plain, print_json
from eventtracking_core import Tracker
from eventtracking_core.delivery import BatchLeaf, DeadLetter
from eventtracking_core.encoding import encode_json

__all__ = ["deadletters"]

FLUSH_TIMEOUT: Final = 60.0
"""Seconds in which one segment of dead letters must be delivered."""

SHOWN: Final = 5
"""Letters of a kind that are shown by default."""

SHORTEST_NAME: Final = 12

Wanted = Callable[[DeadLetter], bool]


@click.group(cls=Group)
def deadletters() -> None:
    """Look at undelivered events, or send them again."""


@deadletters.command("list")
@parameters.config
@backend
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=SHOWN,
    show_default=True,
    help="Letters of each kind at most; 0 for all.",
)
@parameters.as_json
def list_(config: Path | None, backend: str | None, *, limit: int, as_json: bool) -> None:
    """List the dead letters by backend, reason and error.

    The most frequent kind comes first; within a kind, the oldest letter.
    """
    rows = [_row(letter) for leaf in leaves_of(config, backend) for letter in _letters(leaf)]
    if as_json:
        print_json(rows)
        return
    if not rows:
        click.echo("there are no dead letters")
        return
    kinds: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in sorted(rows, key=itemgetter("time")):
        kinds.setdefault((row["backend"], row["reason"], row["error"]), []).append(row)
    for kind, letters in sorted(kinds.items(), key=lambda item: -len(item[1])):
        path, reason, error = map(plain, kind)
        tried = _attempts([row["attempts"] for row in letters])
        title = f"{path}: {count(len(letters), 'letter')}, {reason}{tried}: {error}"
        width = terminal_width()
        click.echo(title if width is None else fill(title, width, subsequent_indent="    "))
        for row in letters[: limit or None]:
            click.echo(_line(row, width))
        if limit and len(letters) > limit:
            click.echo(f"  … and {len(letters) - limit:,} more; --limit 0 shows all")


def _attempts(numbers: Sequence[int]) -> str:
    least, most = min(numbers), max(numbers)
    if most <= 1:
        return ""
    return (
        f" after {most:,} attempts" if least == most else f" after {least:,} to {most:,} attempts"
    )


def _line(row: Mapping[str, Any], width: int | None) -> str:
    """Return the line of a letter; what does not fit is the beginning of its name."""
    begin = f"  {row['time']}  {plain(row['id'] or '-')}  "
    name = plain(row["name"] or "-")
    return begin + (name if width is None else cut(name, max(SHORTEST_NAME, width - len(begin))))


@deadletters.command()
@click.argument("event_id", metavar="ID")
@parameters.config
@parameters.as_json
def show(event_id: str, config: Path | None, *, as_json: bool) -> None:
    """Show one dead letter with its event.

    ID is the event's id, or a part of it that no other letter's id has.
    """
    letters = [letter for leaf in leaves_of(config, None) for letter in _letters(leaf)]
    letter_shown = _find_letter(event_id, letters)
    event = _event(letter_shown)
    whole = {**_row(letter_shown), "event": event and json.loads(encode_json(event))}
    print_json(whole, indent=None if as_json else 2)


@deadletters.command()
@click.argument("event_ids", metavar="[ID]...", nargs=-1)
@parameters.config
@backend
@parameters.as_json
def replay(
    event_ids: tuple[str, ...], config: Path | None, backend: str | None, *, as_json: bool
) -> None:
    """Deliver dead letters again, all or some.

    Without an ID, all dead letters are delivered.

    A letter is removed once its event is delivered or dropped, so interrupting this command
    loses nothing. An event that is sent twice is stored once by every sink that recognizes ids.
    ID may be a part of an id that no other letter's id has.
    Exits with 1 if letters remain or new ones were added.
    """
    with open_tracker(config, needs_backend=False) as tracker:
        leaves = select_buffered(tracker.root.leaves(), backend)
        wanted = set[str | None]()
        if event_ids:
            letters = [letter for leaf in leaves for letter in _letters(leaf)]
            wanted.update(_id(_find_letter(event_id, letters)) for event_id in event_ids)
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
    if as_json:
        print_json({"delivered": sent - again, "dead_lettered_again": again, "left": left})
    else:
        delivered = count(sent - again, "letter")
        click.echo(f"{delivered} delivered, {again:,} dead-lettered again, {left:,} left")
    if again or (left and not wanted):
        raise click.exceptions.Exit(1)


@deadletters.command()
@parameters.config
@backend
@click.option(
    "--before",
    type=parameters.time,
    metavar="TIME",
    help="Only letters from before this time: 2026-09-12, or 7d.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(config: Path | None, backend: str | None, before: datetime | None, *, yes: bool) -> None:
    """Remove dead letters for good."""
    leaves = leaves_of(config, backend)
    number = sum(_is_older(letter, before) for leaf in leaves for letter in _letters(leaf))
    if not number:
        click.echo("there is nothing to remove")
        return
    if not yes and not click.confirm(f"Remove {count(number, 'letter')} for good?"):
        click.echo("nothing was removed", err=True)
        raise click.exceptions.Exit(1)
    removed = 0
    for leaf in leaves:
        for path in leaf.dead_letters.segments():
            with leaf.dead_letters.claimed(path) as is_ours:
                if is_ours:
                    letters = list(leaf.dead_letters.read(path))
                    remaining = [letter for letter in letters if not _is_older(letter, before)]
                    leaf.dead_letters.replace(path, remaining)
                    removed += len(letters) - len(remaining)
    click.echo(f"{count(removed, 'letter')} removed")


def _replay(tracker: Tracker, leaf: BatchLeaf, path: Path, wanted: Wanted) -> int:
    """Deliver the wanted letters of one segment; return the number of letters removed."""
    with leaf.dead_letters.claimed(path) as is_ours:
        if not is_ours:
            click.echo(f"{plain(path.name)} is in use, left alone", err=True)
            return 0
        replayed: list[DeadLetter] = []
        remaining: list[DeadLetter] = []
        for letter in leaf.dead_letters.read(path):
            (replayed if _event(letter) and wanted(letter) else remaining).append(letter)
        dropped = sum(leaf.ledger.dropped_by_reason().values())
        for letter in replayed:
            leaf.deliver(letter.event)
        is_flushed = tracker.flush(FLUSH_TIMEOUT)
        if not is_flushed or sum(leaf.ledger.dropped_by_reason().values()) > dropped:
            click.echo(f"{plain(leaf.path)}: not delivered now, the letters are kept", err=True)
            return 0
        leaf.dead_letters.replace(path, remaining)
        return len(replayed)


def _letters(leaf: BatchLeaf) -> Iterator[DeadLetter]:
    return leaf.dead_letters.letters()


def _find_letter(part: str, letters: Sequence[DeadLetter]) -> DeadLetter:
    """Return the letter of an id, or of a part that one event's id has.

    Raises:
        ClickException: there is none, or there are several.
    """
    matching = [letter for letter in letters if _id(letter) == part]
    matching = matching or [letter for letter in letters if part and part in (_id(letter) or "")]
    if not matching:
        message = f"there is no dead letter of an event with the id {plain(part)!r}"
        raise click.ClickException(message)
    if len({_id(letter) for letter in matching}) > 1:
        ids = "\n".join(f"  {plain(_id(letter))}" for letter in matching[:SHOWN])
        raise click.ClickException(f"several letters have {plain(part)} in their ids:\n{ids}")
    return matching[0]


def _is_older(letter: DeadLetter, before: datetime | None) -> bool:
    return before is None or letter.time < before


def _event(letter: DeadLetter) -> Any:
    try:
        return letter.event
    except ValueError:  # its bytes are not an event, which is why it is here
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
        "time": full_time(letter.time),
        "error": letter.error,
    }
