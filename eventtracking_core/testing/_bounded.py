"""Run functions that may hang or crash, isolated and with a timeout."""

from __future__ import annotations

import gc
import os
import signal
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from select import select
from threading import Barrier, Thread
from time import monotonic
from traceback import format_exception
from typing import Any, NoReturn

__all__ = ["in_a_child", "in_threads"]


def in_threads(works: Sequence[Callable[[], Any]], timeout: float) -> list[Any]:
    """Run functions at the same time, each in a thread; return what they return, in their order.

    Args:
        works: functions; what they raise is raised.
        timeout: seconds, for all together.

    Raises:
        TimeoutError: one has not ended by then; its thread is left alone.
    """
    futures: list[Future[Any]] = [Future() for _ in works]
    start = Barrier(len(works))
    for work, future in zip(works, futures, strict=True):
        Thread(target=_fulfil, args=(work, future, start), daemon=True).start()
    if wait(futures, timeout).not_done:
        raise TimeoutError(f"it did not end within {timeout:g} seconds")
    return [future.result() for future in futures]


def _fulfil(work: Callable[[], Any], future: Future[Any], start: Barrier) -> None:
    start.wait()
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001  raised again in the thread that waits for it
        future.set_exception(error)


def in_a_child(work: Callable[[], object], timeout: float) -> str:
    """Run a function in a forked child; return what went wrong there, or an empty text.

    Args:
        work: the function.
        timeout: seconds; then the child is killed.
    """
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns where there are threads; a child that hangs is what is looked for.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        gc.freeze()  # a collection would copy every page of the parent's objects
        _report(work, writer)
    os.close(writer)
    with os.fdopen(reader, "rb", buffering=0) as report:
        text = _read(report.fileno(), monotonic() + timeout)
    if text is None:
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if text is None:
        return f"it did not end within {timeout:g} seconds"
    return f"the process died of {signal.Signals(-status).name}" if status < 0 else text


def _report(work: Callable[[], object], writer: int) -> NoReturn:
    try:
        work()
    except BaseException as error:  # noqa: BLE001  reported to the parent
        text = "".join(format_exception(error))
        with suppress(OSError):
            os.write(writer, text.encode(errors="backslashreplace")[-30_000:])
    finally:
        os._exit(0)


def _read(reader: int, deadline: float) -> str | None:
    """Return all that is written until the other end is closed; None where that takes too long."""
    text = b""
    while select([reader], [], [], max(0.0, deadline - monotonic()))[0]:
        part = os.read(reader, 65_536)
        if not part:
            return text.decode()
        text += part
    return None
