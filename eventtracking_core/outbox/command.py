"""The command that delivers outboxes until it is stopped."""

from __future__ import annotations

import signal
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event as Flag
from threading import current_thread, main_thread
from typing import Any

from eventtracking_core.deadlines import LONGEST
from eventtracking_core.diagnostics import ERROR, report
from eventtracking_core.outbox.delivering import BATCH_SIZE, BusyError, NotDeliveredError, Table
from eventtracking_core.outbox.delivering import deliver as deliver_batch

__all__ = ["CommandFailedError", "run"]


class CommandFailedError(Exception):
    """The command cannot deliver, or, with `--once`, has not delivered everything."""


def run(
    arguments: Sequence[str],
    *,
    program: str,
    type_name: str,
    tables: Callable[[], Sequence[Table[Any]]],
    failures: tuple[type[Exception], ...],
    say: Callable[[str], object],
) -> None:
    """Deliver outboxes until SIGTERM or Ctrl-C, or with `--once` until they are empty.

    Args:
        arguments: of the command line.
        program: the name of the command.
        type_name: of the outboxes, in the configuration.
        tables: returns the outboxes that are configured.
        failures: what the database raises.
        say: writes a line to the terminal.

    Raises:
        CommandFailedError: there is no outbox, or, with `--once`, not everything was delivered.
    """
    options = _parser(program).parse_args(arguments)
    if not tables():
        raise CommandFailedError(f"the configuration has no backend of the type {type_name}")
    failed: tuple[type[Exception], ...] = (NotDeliveredError, *failures)
    total = 0
    with _until_signal() as stop:
        while not stop.is_set():
            count = sum(_deliver(table, options, stop, failed) for table in tables())
            total += count
            if count == 0 and options.once:
                break
            if count == 0:
                stop.wait(options.interval)
    say(f"{total} events left the outbox")
    if options.once and stop.is_set():
        raise CommandFailedError("it was stopped before the outbox was empty")


@contextmanager
def _until_signal() -> Iterator[Flag]:
    """Give a block a flag that SIGTERM and Ctrl-C set."""
    stop = Flag()
    former: dict[int, Any] = {}
    if current_thread() is main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            former[number] = signal.signal(number, lambda *_: stop.set())
    try:
        yield stop
    finally:
        for name, handler in former.items():
            signal.signal(name, signal.SIG_DFL if handler is None else handler)


def _parser(program: str) -> ArgumentParser:
    parser = ArgumentParser(program, description="Deliver the outbox.")
    parser.add_argument("--once", action="store_true", help="end when the outbox is empty")
    parser.add_argument(
        "--batch-size", type=_number, default=BATCH_SIZE, help="rows to take at once (%(default)s)"
    )
    parser.add_argument(
        "--interval", type=_seconds, default=1.0, help="seconds between looks (%(default)s)"
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=60.0,
        help="with --once: seconds in which the backends must take a batch (%(default)s)",
    )
    return parser


def _number(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise ArgumentTypeError("must be a whole number, at least 1")


def _seconds(text: str) -> float:
    with suppress(ValueError):
        seconds = float(text)
        if 0 < seconds <= LONGEST:
            return seconds
    raise ArgumentTypeError(f"must be more than 0 and at most {LONGEST:,.0f} seconds")


def _deliver(
    table: Table[Any], options: Namespace, stop: Flag, failures: tuple[type[Exception], ...]
) -> int:
    """Deliver one batch; without `--once`, what fails is logged and tried again."""
    try:
        timeout = options.timeout if options.once else None
        number = deliver_batch(table, batch_size=options.batch_size, timeout=timeout, stop=stop)
        if number == 0 and table.keep:
            table.prune()
    except BusyError:
        if options.once:
            message = "another process delivers the outbox of this database"
            raise CommandFailedError(message) from None
        return 0
    except failures as error:
        reason = _explain(error, table, options)
        if options.once:
            message = f"outbox {table.outbox.path} was not delivered: {reason}"
            raise CommandFailedError(message) from error
        path = table.outbox.path
        message = "outbox %s was not delivered, its rows stay: %s"
        report(ERROR, ("outbox", path, reason), message, path, reason)
        return 0
    return number


def _explain(error: Exception, table: Table[Any], options: Namespace) -> str:
    """Return the reason of a failure; never a value of an event."""
    if isinstance(error, NotDeliveredError):
        limit = f" within {options.timeout:g} s" if options.once else ""
        return f"its backends did not take every event{limit}; the rows stay"
    return table.explain(error)
