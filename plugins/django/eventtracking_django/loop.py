"""`manage.py eventtracking deliver`: delivers the outboxes until it is stopped."""

from __future__ import annotations

import logging
import signal
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event, current_thread, main_thread
from typing import Any, Final

from django.core.management.base import CommandError
from django.db import DatabaseError, close_old_connections, connections

from eventtracking_django.deliverer import (
    BATCH_SIZE,
    BusyError,
    NotDeliveredError,
    deliver,
    outboxes,
    prune,
)
from eventtracking_django.models import OutboxEvent
from eventtracking_django.writing import OutboxRouter

__all__ = ["run"]

_logger: Final = logging.getLogger("eventtracking")


def run(arguments: Sequence[str], say: Callable[[str], object]) -> None:
    """Deliver the outboxes until SIGTERM or Ctrl-C, or with `--once` until they are empty.

    Args:
        arguments: of the command line.
        say: writes a line to the terminal.

    Raises:
        CommandError: there is no outbox, or, with `--once`, not everything was delivered.
    """
    options = _parser().parse_args(arguments)
    if not outboxes():
        raise CommandError("the configuration has no backend of the type django.outbox")
    with _until_signal() as stop:
        total = 0
        while not stop.is_set():
            count = sum(_deliver(outbox, options, stop) for outbox in outboxes())
            total += count
            if count == 0 and options.once:
                break
            if count == 0:
                stop.wait(options.interval)
    say(f"{total} events left the outbox")
    if options.once and stop.is_set():
        raise CommandError("it was stopped before the outbox was empty")


@contextmanager
def _until_signal() -> Iterator[Event]:
    """Give a block an event that SIGTERM and Ctrl-C set."""
    stop = Event()
    former: dict[int, Any] = {}
    if current_thread() is main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            former[number] = signal.signal(number, lambda *_: stop.set())
    try:
        yield stop
    finally:
        for name, handler in former.items():
            signal.signal(name, signal.SIG_DFL if handler is None else handler)


def _parser() -> ArgumentParser:
    parser = ArgumentParser("manage.py eventtracking deliver", description="Deliver the outbox.")
    parser.add_argument("--once", action="store_true", help="end when the outbox is empty")
    parser.add_argument(
        "--batch-size", type=int, default=BATCH_SIZE, help="rows to take at once (%(default)s)"
    )
    parser.add_argument(
        "--interval", type=float, default=1.0, help="seconds between looks (%(default)s)"
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=60.0,
        help="with --once: seconds in which the backends must settle a batch (%(default)s)",
    )
    return parser


def _deliver(outbox: OutboxRouter, options: Namespace, stop: Event) -> int:
    """Deliver one batch; without `--once`, what fails is logged and tried again."""
    try:
        close_old_connections()
        number = deliver(
            outbox,
            batch_size=options.batch_size,
            timeout=options.timeout if options.once else None,
            stop=stop,
        )
        if number == 0 and outbox.keep:
            prune(outbox)
    except BusyError:
        if options.once:
            raise CommandError("another process delivers the outbox of this database") from None
        return 0
    except (NotDeliveredError, DatabaseError) as error:
        if options.once:
            message = f"outbox {outbox.path} was not delivered: {_explain(error, outbox, options)}"
            raise CommandError(message) from error
        _logger.error(  # noqa: TRY400  the cause was logged where it happened
            "outbox %s was not delivered, its rows stay: %s",
            outbox.path,
            _explain(error, outbox, options),
        )
        return 0
    return number


def _explain(error: Exception, outbox: OutboxRouter, options: Namespace) -> str:
    """Return the reason of a failure; never a value of an event."""
    if isinstance(error, NotDeliveredError):
        limit = f" within {options.timeout:g} s" if options.once else ""
        return f"its backends did not take every event{limit}; the rows stay"
    with suppress(DatabaseError):
        tables = connections[outbox.alias].introspection.table_names()
        if OutboxEvent._meta.db_table not in tables:  # noqa: SLF001  Django documents it
            return f"its table is missing in the database {outbox.alias}: run manage.py migrate"
    return f"the database {outbox.alias} answered with {type(error).__name__}"
