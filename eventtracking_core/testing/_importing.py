"""Measure the cost of importing a module, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

__all__ = ["ImportCost", "import_cost"]

# What every plugin needs is imported before the clock starts.
_PROGRAM: Final = """
import json, os, sys, threading, time
module, sys.path[:] = sys.argv[1], json.loads(sys.argv[2])
import eventtracking_core.config, eventtracking_core.encoding

def now():
    return time.process_time(), threading.active_count(), len(os.listdir("/dev/fd"))

before = now()
try:
    __import__(module)
except ModuleNotFoundError as error:
    if not f"{module}.".startswith(f"{error.name}."):
        raise
    print("null")
else:
    print(json.dumps([after - start for after, start in zip(now(), before)]))
sys.stdout.flush()
os._exit(0)
"""


class ImportCost(NamedTuple):
    """The cost of an import, and the threads and files that it left."""

    seconds: float
    """Of the processor."""

    threads: int
    files: int


def import_cost(module: str, timeout: float, limit: float) -> ImportCost | None:
    """Import a module in a new process; None where there is none of that name.

    If that takes longer than the limit, it is imported twice more, and the least time counts: the
    modules may not have been compiled, and a busy processor is slower.

    Args:
        module: its name.
        timeout: seconds, for each import.
        limit: seconds of the processor.

    Raises:
        RuntimeError: it cannot be imported.
        TimeoutError: it was not imported by then.
    """
    cost = _import(module, timeout, os.environ)
    if cost is None or cost.seconds <= limit:
        return cost
    with TemporaryDirectory() as compiled:
        environ = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        again = [_import(module, timeout, environ) for _ in range(2)]
    return cost._replace(seconds=min(each.seconds for each in (cost, *again) if each))


def _import(module: str, timeout: float, environ: Mapping[str, str]) -> ImportCost | None:
    places = json.dumps([*map(os.fsdecode, sys.path)])
    command = [sys.executable, "-c", _PROGRAM, module, places]
    try:
        done = subprocess.run(  # noqa: S603  our own program, without a shell
            command, env=environ, capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"importing {module} took over {timeout:g} seconds") from None
    if done.returncode:
        raise RuntimeError(f"{module} cannot be imported alone:\n{done.stderr}")
    cost = json.loads(done.stdout.splitlines()[-1])
    return None if cost is None else ImportCost(*cost)
