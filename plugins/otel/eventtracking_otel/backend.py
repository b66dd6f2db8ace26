"""The OpenTelemetry backend: passes events to the SDK as log records, and flushes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from time import monotonic
from typing import ClassVar, Final

from opentelemetry._logs import Logger, LoggerProvider, get_logger_provider
from opentelemetry.context import (
    _SUPPRESS_INSTRUMENTATION_KEY,  # exporters and instrumentations import it too
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
from eventtracking_core.lifecycle.exits import end_first
from eventtracking_otel._records import Records
from eventtracking_otel.confirming import take_failed

__all__ = ["OtelBackend"]

SCOPE: Final = "eventtracking"
_VERSION: Final = version("eventtracking-otel")

MAX_REQUEST: Final = 2 * 1024 * 1024
"""Bytes of events after which the SDK is flushed: receivers reject messages of 4 MiB and more."""

_FAILED: Final = "an exporter of the SDK failed on the events"
_NOT_EXPORTED: Final = "the SDK of OpenTelemetry did not export the events, or is shut down"


class UnconfirmedError(EventTrackingError):
    """An exporter failed on a whole batch: its receiver is down, or an event is invalid.

    So it is neither retryable nor rejected: the framework retries the batch, then splits it.
    """


class OtelBackend:
    """Passes events to OpenTelemetry as log records with an `event_name`.

    The record's attributes are `data` and `context`, as maps; `user.id`, `session.id`,
    `client.address`, `user_agent.original` and `url.full`, which are moved out of the context; and
    `log.record.uid`, the event's id. It belongs to the span that the context provider `trace` put
    into the event.

    The application sets up the SDK and its exporters: see `opentelemetry.sdk._logs`. The SDK is
    flushed after each batch, so that its own queue never overflows. Until there is an SDK, events
    wait.

    Args:
        flatten: use one attribute per field, named by its path, such as `data.problem_id`, for
            receivers that can't query maps.
    """

    default_delivery: ClassVar[str] = "queue"

    def __init__(self, *, flatten: bool = False) -> None:
        self._records = Records(flatten=flatten)
        # Replaced as a whole, by any thread.
        self._last_sdk: tuple[LoggerProvider | None, Logger | None] = None, None
        end_first()

    def send(self, event: Event) -> None:
        """Pass one event to the SDK, in the emitting thread.

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
        """Pass events to the SDK, and make it export them.

        Args:
            events: any number of events.
            timeout: seconds for the SDK to export them; the SDK may take longer.

        Raises:
            BatchError: the listed events failed, the others are exported. An event is rejected if
                one of the application's log record processors failed on it but not on others.
            RetryableError: there is no SDK, it did not export the events in time, or it has been
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
                except Exception as error:  # noqa: BLE001  from one of the application's processors
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
        if 0 < len(refused) < len(events):  # others succeeded, so these events are at fault
            refused = {index: _refusal(error) for index, error in refused.items()}
        failures = refused | dict.fromkeys(unsent, RetryableError(_NOT_EXPORTED))
        failures |= dict.fromkeys(failed, RetryableError(_FAILED))
        if failures:
            raise BatchError(failures)

    def flush(self, timeout: float) -> bool:
        """Make the SDK export its queue; return whether it did."""
        provider, _ = self._last_sdk
        with _uninstrumented():
            return provider is None or _flushed(provider, timeout)

    def _sdk(self) -> tuple[LoggerProvider, Logger]:
        provider = get_logger_provider()
        last_provider, logger = self._last_sdk
        if last_provider is provider and logger is not None:
            return last_provider, logger
        # The API's placeholder for an SDK has no public name.
        if type(provider).__name__ == "ProxyLoggerProvider":
            raise RetryableError(
                "OpenTelemetry has no logger provider: set up its SDK (set_logger_provider)"
            )
        end_first()  # the SDK shuts itself down at exit
        logger = provider.get_logger(SCOPE, _VERSION)
        self._last_sdk = provider, logger
        return provider, logger


def _refusal(error: Exception) -> RejectedError:
    return RejectedError(f"a log record processor failed on the event ({type(error).__name__})")


def _flushed(provider: LoggerProvider, timeout: float) -> bool:
    """Make an SDK export its queue; return whether it did. Without `force_flush` there is none."""
    flush = getattr(provider, "force_flush", None)
    return not callable(flush) or flush(max(0, int(timeout * 1000))) is not False


@contextmanager
def _uninstrumented() -> Iterator[None]:
    """Suppress instrumentation, so that exports are not traced themselves."""
    token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, value=True))
    try:
        yield
    finally:
        detach(token)
