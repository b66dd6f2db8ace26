"""Every exception of the framework."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from eventtracking_core._text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "BatchError",
    "ClosedError",
    "ConfigurationError",
    "EventEmissionExit",
    "EventTrackingError",
    "InvalidEventError",
    "NoBackendEnabled",
    "NoTransformerImplemented",
    "OptionsError",
    "PluginError",
    "Problem",
    "RejectedError",
    "RetryableError",
    "refuse_options",
    "require_lists",
]


class EventTrackingError(Exception):
    """The base of all exceptions of this framework."""


class EventEmissionExit(EventTrackingError):  # noqa: N818  documented upstream under this name
    """Raised by a processor: the event goes no further on this branch."""

    drop_reason: ClassVar[str] = "filtered"
    """Under which it is counted."""


class NoBackendEnabled(EventTrackingError):  # noqa: N818  documented upstream under this name
    """Raised by a component: no backend is enabled for this event."""


class NoTransformerImplemented(EventTrackingError):  # noqa: N818  documented upstream under this name
    """Raised by a component: nothing transforms this event."""


class PluginError(EventTrackingError):
    """A plugin is not there, or cannot be used; the message says which, why, and what to do."""


class RetryableError(EventTrackingError):
    """Raised by a backend: the event was not delivered, and a later attempt may succeed.

    Args:
        message: what went wrong, without payload or secret.
        retry_after: seconds to wait before the next attempt, where the sink says so.
    """

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RejectedError(EventTrackingError):
    """Raised by a backend: this event will never be accepted, so trying again is useless."""


class BatchError(EventTrackingError):
    """Raised by `send_batch`: some events of the batch failed, the others are delivered.

    Args:
        failures: the error of each failed event, by its index in the batch.
    """

    def __init__(self, failures: Mapping[int, Exception]) -> None:
        super().__init__(f"{len(failures)} events of the batch failed")
        self.failures = failures


class ClosedError(EventTrackingError):
    """The node was shut down before the event reached it."""


class InvalidEventError(EventTrackingError):
    """A warning about an event, raised because the tracker is `strict`."""


class Problem(NamedTuple):
    """One mistake in a configuration: where it is, and what to do about it."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ConfigurationError(EventTrackingError):
    """A configuration cannot be used.

    Args:
        source: what was read: a file's name, or a word such as `configuration`.
        problems: every mistake found, in the order of the configuration.
    """

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        title = f"{source}: {counted(len(self.problems), 'problem')}"
        super().__init__("\n".join([title, *(f"  {problem}" for problem in self.problems)]))


class OptionsError(EventTrackingError, ValueError):
    """Options of a component cannot be used.

    Args:
        messages: one for each problem, in the order in which they were checked.
    """

    def __init__(self, messages: Iterable[str]) -> None:
        self.messages = tuple(messages)
        super().__init__("\n".join(self.messages))


def refuse_options(problems: Mapping[str, bool]) -> None:
    """Raise one error for all options of a component that cannot be used.

    Args:
        problems: whether each applies, by messages that begin with an option, such as `port must be
            positive`, or with a key in one, such as `headers.Date must be left out`. A
            configuration shows each as a problem of its own, at that option.

    Raises:
        OptionsError: at least one applies; it is a `ValueError`.
    """
    messages = [message for message, applies in problems.items() if applies]
    if messages:
        raise OptionsError(messages)


def require_lists(**options: object) -> None:
    """Refuse options that are one text where a list is expected; it would be taken as its letters.

    Raises:
        OptionsError: at least one is a text; it is a `ValueError`.
    """
    texts = [name for name, value in options.items() if isinstance(value, str | bytes)]
    if texts:
        raise OptionsError(f"{name} must be a list" for name in texts)
