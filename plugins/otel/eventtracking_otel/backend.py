"""The backend: events as log records, handed to OpenTelemetry's SDK and seen through it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from time import monotonic
from typing import ClassVar, Final

from opentelemetry._logs import Logger, LoggerProvider, get_logger_provider
from opentelemetry.context import (
    _SUPPRESS_INSTRUMENTATION_KEY,  # what exporters and instrumentations import for it
    attach,
    detach,
    get_current,
    set_value,
)

from eventtracking_core import (
    BatchError,
    Event,
    EventTrackingError,
    RejectedError,
    RetryableError,
)
from eventtracking_core.encoding import encode_msgpack
from eventtracking_core.lifecycle import end_first
from eventtracking_otel._records import Records
from eventtracking_otel.confirming import take_failed

__all__ = ["OtelBackend"]

SCOPE: Final = "eventtracking"
_VERSION: Final = version("eventtracking-otel")

MAX_REQUEST: Final = 2 * 1024 * 1024
"""Bytes of events after which the SDK is flushed: receivers refuse messages of 4 MiB and more."""

_FAILED: Final = "an exporter of the SDK failed on the events"
_NOT_EXPORTED: Final = "the SDK of OpenTelemetry did not export the events, or is shut down"


class UnconfirmedError(EventTrackingError):
    """An exporter failed on a whole batch: its receiver is away, or one of the events is to blame.

    So it is neither retryable nor rejected: the framework retries the batch, then takes it apart.
    """


class OtelBackend:
    """Hands events to OpenTelemetry as log records with an `event_name`.

    The record's attributes are `data` and `context`, as maps; `user.id`, `session.id`,
    `client.address`, `user_agent.original` and `url.full`, which are taken from the context;
    and `log.record.uid`, the event's id. It belongs to the span that the context provider
    `trace` put into the event.

    The SDK and its exporters are the application's: see `opentelemetry.sdk._logs`. After each
    batch the SDK is flushed, so that its own queue never overflows; until there is one, events
    wait.

    Args:
        flatten: give each field an attribute of its own, named by its path, such as
            `data.problem_id`, for receivers that cannot look into maps.
    """

    default_delivery: ClassVar[str] = "queue"

    def __init__(self, *, flatten: bool = False) -> None:
        self._records = Records(flatten=flatten)
        # Replaced as a whole, by any thread.
        self._found: tuple[LoggerProvider | None, Logger | None] = None, None
        end_first()

    def send(self, event: Event) -> None:
        """Hand over one event, in the thread that emits it.

        Raises:
            RetryableError: there is no SDK.
            UnconfirmedError: a `ConfirmedExporter` failed on it.
        """
        _, logger = self._sdk()
        base = get_current()
        with _uninstrumented():
            logger.emit(self._records.of(event, base))
        if take_failed([event["id"]]):
            raise UnconfirmedError(_FAILED)

    def send_batch(self, events: Sequence[Event], *, timeout: float) -> None:
        """Hand over events, and have the SDK export them.

        Args:
            events: any number of them.
            timeout: seconds for the SDK to export them; the SDK may take longer.

        Raises:
            BatchError: some events failed, the others are exported. An event is rejected that a log
                record processor of the application's failed on, while it took others.
            RetryableError: there is no SDK, or it has not exported the events in time, or has been
                shut down.
            UnconfirmedError: a `ConfirmedExporter` failed on all of them.
        """
        deadline = monotonic() + timeout
        provider, logger = self._sdk()
        refused: dict[int, Exception] = {}
        unsent = range(0)
        failed: list[int] = []
        first, size = 0, 0
        ids = [event["id"] for event in events]
        take_failed(ids)  # of an earlier attempt
        with _uninstrumented():
            for index, event in enumerate(events):
                try:
                    logger.emit(self._records.of(event))
                except Exception as error:  # noqa: BLE001  of a processor of the application's
                    refused[index] = error
                size += len(encode_msgpack(event))
                if size < MAX_REQUEST and index + 1 < len(events):
                    continue
                if not _flushed(provider, deadline - monotonic()):
                    unsent = range(first, len(events))
                    break
                failed += (first + each for each in take_failed(ids[first : index + 1]))
                first, size = index + 1, 0
        if failed and len(failed) == len(events):
            raise UnconfirmedError(_FAILED)
        if unsent and first == 0:
            raise RetryableError(_NOT_EXPORTED)
        if 0 < len(refused) < len(events):  # others got through, so these are to blame
            refused = {index: _refusal(error) for index, error in refused.items()}
        failures = refused | dict.fromkeys(unsent, RetryableError(_NOT_EXPORTED))
        failures |= dict.fromkeys(failed, RetryableError(_FAILED))
        if failures:
            raise BatchError(failures)

    def flush(self, timeout: float) -> bool:
        """Have the SDK export what it holds; tell whether it did."""
        provider, _ = self._found
        with _uninstrumented():
            return provider is None or _flushed(provider, timeout)

    def _sdk(self) -> tuple[LoggerProvider, Logger]:
        provider = get_logger_provider()
        found, logger = self._found
        if found is provider and logger is not None:
            return found, logger
        # What the API has in the place of an SDK has no public name.
        if type(provider).__name__ == "ProxyLoggerProvider":
            raise RetryableError(
                "OpenTelemetry has no logger provider: set up its SDK (set_logger_provider)"
            )
        end_first()  # the SDK shuts itself down at exit
        logger = provider.get_logger(SCOPE, _VERSION)
        self._found = provider, logger
        return provider, logger


def _refusal(error: Exception) -> RejectedError:
    return RejectedError(f"a log record processor failed on the event ({type(error).__name__})")


def _flushed(provider: LoggerProvider, timeout: float) -> bool:
    """Have an SDK export what it holds. One that cannot be asked has nothing to flush."""
    flush = getattr(provider, "force_flush", None)
    return not callable(flush) or flush(max(0, int(timeout * 1000))) is not False


@contextmanager
def _uninstrumented() -> Iterator[None]:
    """Keep what is exported here from being traced itself."""
    token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
    try:
        yield
    finally:
        detach(token)
