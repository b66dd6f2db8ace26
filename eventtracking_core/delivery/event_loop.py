"""Backends that speak asyncio, as plain backends: their coroutines run on an event loop."""

from __future__ import annotations

import asyncio
import os
from asyncio import Runner, get_running_loop
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from time import monotonic
from typing import Any, Final
from weakref import WeakValueDictionary

from eventtracking_core.deadlines import seconds_until
from eventtracking_core.delivery.native_thread import NativeThread, threads_are_greenlets
from eventtracking_core.errors import RetryableError
from eventtracking_core.lifecycle.claims import Claim, ClaimLock
from eventtracking_core.lifecycle.threads import interpreter_ends, start_daemon
from eventtracking_core.routing.capabilities import is_coroutine_function

__all__ = ["LoopBackend"]

SEND_TIMEOUT: Final = 30.0
"""Seconds for a method that is not given a timeout."""

# Closing a parent's event loop, or collecting its connections, would take their descriptors out of
# the selector they share.
_inherited: Final[list[object]] = []
_adapters: Final[WeakValueDictionary[int, LoopBackend]] = WeakValueDictionary()


class _TimedOutError(RetryableError):
    """A coroutine was cancelled, because its time was over."""


class LoopBackend:
    """A backend whose `async def` methods are called as plain ones.

    All of them run on one event loop of the process, in the thread that calls: the leaf's worker,
    most often; under gevent, in a thread of the system. Between two calls the loop
    stands still, so tasks that a backend starts go on with its next call. A coroutine that takes
    longer than its timeout is cancelled.

    Args:
        awaited: the backend, some of whose methods are coroutine functions.
    """

    def __init__(self, awaited: object) -> None:
        self.awaited = awaited
        self._reset()

    @classmethod
    def of(cls, backend: object) -> LoopBackend:
        """Return the one adapter of a backend, which may be configured several times."""
        adapter = _adapters.get(id(backend))
        if adapter is None:
            adapter = _adapters[id(backend)] = cls(backend)
        return adapter

    def _reset(self) -> None:
        self._owner = os.getpid()
        self._lock = ClaimLock()
        # Both are touched by the thread that holds the lock.
        self._runner: Runner | None = None
        self._thread = NativeThread()
        self._executor = _Executor()

    def warm_up(self) -> None:
        """Start the thread that looks up names of hosts while the interpreter ends."""
        self._reset_if_forked()
        if not threads_are_greenlets():
            self._executor.start()
        warm_up: Any = getattr(self.awaited, "warm_up", None)
        if is_coroutine_function(warm_up):
            self._call(warm_up)
        elif callable(warm_up):
            warm_up()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.awaited, name)
        if not is_coroutine_function(value):
            return value
        return partial(self._finish if name == "flush" else self._call, value)

    def shutdown(self, timeout: float) -> bool:
        """Shut the backend down, then close the event loop; the next event opens a new one."""
        deadline = monotonic() + timeout
        shutdown: Any = getattr(self.awaited, "shutdown", None)
        done = True
        if is_coroutine_function(shutdown):
            done = self._finish(shutdown, timeout) is not False
        elif callable(shutdown):
            done = shutdown(timeout) is not False
        return self._close(deadline) and done

    def _finish(self, function: Callable[..., Coroutine[Any, Any, Any]], timeout: float) -> Any:
        """Return what `flush` or `shutdown` returns; False if the time was over."""
        try:
            return self._call(function, timeout)
        except _TimedOutError:
            return False

    def _call(
        self, function: Callable[..., Coroutine[Any, Any, Any]], *args: Any, **options: Any
    ) -> Any:
        timeout = options.get("timeout", args[0] if args else None)
        limit = float(timeout) if isinstance(timeout, int | float) else SEND_TIMEOUT
        # An event loop of the application must not be entered again.
        if not threads_are_greenlets() and _is_in_event_loop():
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(self._run, function, args, options, limit).result()
        return self._run(function, args, options, limit)

    def _run(
        self,
        function: Callable[..., Coroutine[Any, Any, Any]],
        args: tuple[Any, ...],
        options: dict[str, Any],
        limit: float,
    ) -> Any:
        self._reset_if_forked()
        deadline = monotonic() + limit
        claim = Claim()
        try:
            if not self._lock.wait(claim, deadline):
                raise _TimedOutError("another call of the backend did not end in time")
            if self._runner is None:
                self._runner = self._thread.call(_open, self._executor)
            left = seconds_until(deadline)
            return self._thread.call(
                _run, self._runner, partial(_bounded, function, args, options, left)
            )
        finally:
            claim.is_over = True

    def _reset_if_forked(self) -> None:
        if self._owner != os.getpid():
            attributes = dict(getattr(self.awaited, "__dict__", {}))
            _inherited.append((self._runner, self._thread, attributes))
            self._reset()

    def _close(self, deadline: float) -> bool:
        if self._owner != os.getpid() or self._runner is None:
            return True
        claim = Claim()
        try:
            if not self._lock.wait(claim, deadline):
                return False
            runner, self._runner = self._runner, None
            try:
                self._thread.call(runner.close)
            except RuntimeError:  # it is closed, but for the threads of its executor
                if not interpreter_ends():
                    raise
            self._executor = _Executor()
            self._thread.close()
        finally:
            claim.is_over = True
        return True


_Call = tuple[Future[Any], Callable[[], Any]]


class _Executor(ThreadPoolExecutor):
    """Calls functions in threads, also while the interpreter ends: then one by one.

    Event loops look up the names of hosts in such threads, and `asyncio.to_thread` calls there.
    """

    def __init__(self) -> None:
        super().__init__(thread_name_prefix="eventtracking")
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._is_started = False

    def start(self) -> None:
        """Start the thread for the end, which can no longer be started then."""
        if not self._is_started:
            self._is_started = start_daemon(partial(_serve, self._calls), "eventtracking-executor")

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call a function in another thread."""
        if not (self._is_started and interpreter_ends()):
            return super().submit(fn, *args, **kwargs)
        future: Future[Any] = Future()
        self._calls.put((future, partial(fn, *args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  its parent's
        """End the threads, after what they were given."""
        self._calls.put(None)
        super().shutdown(wait, cancel_futures=cancel_futures)


def _serve(calls: SimpleQueue[_Call | None]) -> None:
    while (call := calls.get()) is not None:
        future, function = call
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(function())
            except BaseException as error:  # noqa: BLE001  raised again by who waits
                future.set_exception(error)


def _open(executor: ThreadPoolExecutor) -> Runner:
    runner = Runner()
    runner.get_loop().set_default_executor(executor)
    return runner


def _run(runner: Runner, coroutine: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return runner.run(coroutine())


async def _bounded(
    function: Callable[..., Coroutine[Any, Any, Any]],
    args: tuple[Any, ...],
    options: dict[str, Any],
    limit: float,
) -> Any:
    # Unlike `wait_for`, it lets a coroutine run until it waits, however little time there is: one
    # that shuts a backend down can close its connections.
    try:
        async with asyncio.timeout(limit) as scope:
            return await function(*args, **options)
    except TimeoutError as error:
        if not scope.expired():
            raise
        raise _TimedOutError(f"the backend did not finish within {limit:g} s") from error


def _is_in_event_loop() -> bool:
    try:
        get_running_loop()
    except RuntimeError:
        return False
    return True
