"""`manage.py eventtracking deliver`: delivers the outboxes until it is stopped."""

from __future__ import annotations

import logging
import signal
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from threading import Event, current_thread, main_thread
from typing import Final

from django.core.management.base import CommandError
from django.db import DatabaseError, close_old_connections

from eventtracking_django.deliverer import (
    BATCH_SIZE,
    BusyError,
    NotDeliveredError,
    deliver,
    outboxes,
    prune,
)
from eventtracking_django.writing import OutboxRouter

__all__ = ["run"]

_logger: Final = logging.getLogger("eventtracking")


def run(arguments: Sequence[str]) -> None:
    """Deliver the outboxes.

    Args:
        arguments: of the command line.

    Raises:
        CommandError: there is no outbox, or, with `--once`, not everything was delivered.
    """
    options = _parser().parse_args(arguments)
    if not outboxes():
        raise CommandError("the configuration has no backend of the type django.outbox")
    stop = Event()
    if current_thread() is main_thread():
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
    while not stop.is_set():
        number = sum(_deliver(outbox, options, stop) for outbox in outboxes())
        if number == 0 and options.once:
            return
        if number == 0:
            stop.wait(options.interval)


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
            message = f"outbox {outbox.path} was not delivered: {type(error).__name__}"
            raise CommandError(message) from error
        _logger.error(  # noqa: TRY400  the cause was logged where it happened
            "outbox %s was not delivered, its rows stay: %s", outbox.path, type(error).__name__
        )
        return 0
    return number
