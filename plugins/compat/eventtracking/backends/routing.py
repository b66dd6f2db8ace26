"""Route events through processors to backends."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from time import monotonic
from typing import Any

from eventtracking.processors.exceptions import (
    EventEmissionExit,
    NoBackendEnabled,
    NoTransformerImplemented,
)
from eventtracking_core.encoding import snapshot

__all__ = ["RoutingBackend"]

LOG = logging.getLogger(__name__)

Processor = Callable[[Any], Any]


class RoutingBackend:
    """Runs processors on a copy of each event, then sends the result to each backend.

    A processor changes the event, returns another one or a list of events, or raises
    `EventEmissionExit` to drop it. A list is passed on as it is.

    Args:
        backends: child backends by name; they are called in the order of their names.
        processors: run in their order.

    Raises:
        ValueError: a backend has no callable `send`, or a processor is not callable.
    """

    def __init__(
        self,
        backends: Mapping[str, Any] | None = None,
        processors: Iterable[Processor] | None = None,
    ) -> None:
        self.backends: OrderedDict[str, Any] = OrderedDict()
        self.processors: list[Processor] = []
        for name in sorted(backends or ()):
            self.register_backend(name, (backends or {})[name])
        for processor in processors or ():
            self.register_processor(processor)

    def register_backend(self, name: str, backend: Any) -> None:
        """Add a backend; it is called after the registered ones.

        Raises:
            ValueError: it has no callable `send`.
        """
        if not callable(getattr(backend, "send", None)):
            kind = type(backend).__name__
            raise ValueError(f'Backend {kind} does not have a callable "send" method.')
        self.backends[name] = backend

    def register_processor(self, processor: Processor) -> None:
        """Add a processor; it runs after the registered ones.

        Raises:
            ValueError: it is not callable.
        """
        if not callable(processor):
            raise ValueError(f"Processor {type(processor).__name__} is not callable.")
        self.processors.append(processor)

    def send(self, event: Any) -> None:
        """Process an event and send it to all backends; every failure is logged."""
        try:
            processed = self.process_event(snapshot(event))
        except EventEmissionExit:
            return
        self.send_to_backends(processed)

    def process_event(self, event: Any) -> Any:
        """Return the event after the processors; their failures are logged.

        Raises:
            EventEmissionExit: a processor dropped the event.
        """
        for processor in self.processors:
            try:
                result = processor(event)
            except EventEmissionExit:
                raise
            except Exception:
                LOG.exception("Failed to execute processor: %s", processor)
            else:
                event = event if result is None else result
        return event

    def send_to_backends(self, event: Any) -> None:
        """Send an event to all backends, past the processors; every failure is logged."""
        self.send_to(self.backends, event)

    def send_to(self, names: Iterable[str], event: Any) -> list[str]:
        """Send an event to some of the backends; return the names of those that failed."""
        return [name for name in list(names) if not self._sent(name, event)]

    def _sent(self, name: str, event: Any) -> bool:
        event_name = event.get("name") if isinstance(event, dict) else None
        try:
            self.backends[name].send(event)
        except NoBackendEnabled as error:
            LOG.info(
                '[send_to_backends] Failed to send edx event "%s" to "%s" backend. "%s" backend has'
                " not been enabled, [%r]",
                event_name,
                name,
                name,
                error,
            )
        except NoTransformerImplemented as error:
            LOG.info(
                '[send_to_backends] No transformer has been implemented for edx event "%s", [%r]',
                event_name,
                error,
            )
        except Exception:
            LOG.exception('Unable to send edx event "%s" to backend: %s', event_name, name)
            return False
        return True

    def flush(self, timeout: float) -> bool:
        """Wait until the backends have delivered what they accepted; return whether they did."""
        return _all(self._methods("flush"), timeout)

    def shutdown(self, timeout: float) -> bool:
        """Release what the backends hold; return whether that ended in time."""
        return _all(self._methods("shutdown"), timeout)

    def _methods(self, name: str) -> Iterator[Callable[[float], object]]:
        for backend in list(self.backends.values()):
            method = getattr(backend, name, None)
            if callable(method):
                yield method


def _all(methods: Iterable[Callable[[float], object]], timeout: float) -> bool:
    deadline = monotonic() + timeout
    return False not in [method(max(0.0, deadline - monotonic())) for method in methods]
