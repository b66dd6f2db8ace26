"""Import installed plugins in processes of their own, since one may hang or exit.

Each is imported in a process of its own, which this module is the main module of.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import EntryPoint
from itertools import chain
from pkgutil import iter_modules
from typing import IO, Any, Final, NamedTuple, get_args

from eventtracking_cli.commands import CommandError, distribution, installed_commands, load_command
from eventtracking_core import backends, processors, providers
from eventtracking_core.encoding import plain_weight
from eventtracking_core.plugins import ComponentKind, PluginError, Plugins, installed

__all__ = ["TIMEOUT", "Inspected", "inspect_all", "inspect_built_in"]

TIMEOUT: Final = 20.0
"""Seconds a plugin may take to import before its process is ended."""

_HOMES: Final[Mapping[ComponentKind, Any]] = {
    "context provider": providers,
    "processor": processors,
    "backend": backends,
}


class Inspected(NamedTuple):
    """A plugin, and the result of importing it."""

    name: str
    distribution: str
    version: str
    registers: Mapping[str, list[str]] = {}
    """Type names by kind."""
    commands: Sequence[str] = ()
    """Names of the commands that its distribution adds."""
    problem: str | None = None


def inspect_built_in() -> Inspected:
    """Return what comes with the core."""
    from importlib.metadata import version  # noqa: PLC0415  reads files

    core = "eventtracking-core"
    registers: dict[str, list[str]] = {
        kind: sorted(module.name for module in iter_modules(home.__path__) if module.name[0] != "_")
        for kind, home in _HOMES.items()
    }
    compiled = "eventtracking-speedups"
    registers["checks"] = [f"{compiled} {version(compiled)}" if plain_weight else "pure Python"]
    return Inspected("(built in)", core, version(core), registers)


def inspect_all(timeout: float = TIMEOUT) -> list[Inspected]:
    """Import every installed plugin, each in a process of its own, and return what came of it.

    Args:
        timeout: seconds that each may take.
    """
    commands: dict[tuple[str, str], list[str]] = {}
    for command in chain.from_iterable(installed_commands().values()):
        commands.setdefault(_distribution(command), []).append(command.name)
    plugins = [(entry_point.name, _distribution(entry_point)) for entry_point in installed()]
    claims = Counter(name for name, _ in plugins)
    owners = {owner for _, owner in plugins}
    plugins += [("", owner) for owner in sorted(commands) if owner not in owners]
    waiting = [Inspected(name, *owner, commands=commands.get(owner, ())) for name, owner in plugins]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        results = list(pool.map(lambda inspected: _inspect(inspected, timeout), waiting))
    return [
        inspected._replace(problem="two distributions claim the name; uninstall one of them")
        if claims[inspected.name] > 1
        else inspected
        for inspected in results
    ]


def _entry_point(name: str, owner: str) -> EntryPoint:
    return next(
        entry_point
        for entry_point in installed()
        if entry_point.name == name and _distribution(entry_point)[0] == owner
    )


def _distribution(entry_point: EntryPoint) -> tuple[str, str]:
    dist = entry_point.dist
    return (dist.name, dist.version) if dist else ("", "")


def _inspect(inspected: Inspected, timeout: float) -> Inspected:
    with tempfile.TemporaryFile() as answer:
        status = _look_in_child(inspected, answer, timeout)
        if status is None:
            return inspected._replace(problem=f"still importing after {timeout:g} seconds")
        answer.seek(0)
        text = answer.read()
    if not text:
        return inspected._replace(problem=f"its import ends the process (status {status})")
    return inspected._replace(**json.loads(text))


def _look_in_child(inspected: Inspected, answer: IO[bytes], timeout: float) -> int | None:
    """Return the exit status of the process that looked, None where it had to be ended."""
    descriptor = answer.fileno()
    arguments = [str(descriptor), inspected.name, inspected.distribution]
    child = subprocess.Popen(  # noqa: S603  our own module, without a shell
        [sys.executable, "-P", "-m", "eventtracking_cli.inspection", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[descriptor],
        start_new_session=True,
    )
    try:
        return child.wait(timeout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _look(name: str, owner: str) -> dict[str, Any]:
    """Import a plugin, if the distribution has one, and the commands of the distribution."""
    registry = Plugins()
    registers = {}
    try:
        if name:
            registry.load(_entry_point(name, owner))
            registers = {
                kind: sorted(registry.factories(kind, name)) for kind in get_args(ComponentKind)
            }
        for command in chain.from_iterable(installed_commands().values()):
            if distribution(command) == owner:
                load_command(command)
    except (PluginError, CommandError) as error:
        return {"problem": str(error)}
    return {"registers": registers}


def _answer(descriptor: str, name: str, distribution: str) -> None:
    with open(int(descriptor), "w", encoding="utf-8") as answer:  # noqa: PTH123  by descriptor
        json.dump(_look(name, distribution), answer)
    os._exit(0)  # what the plugin left running must not keep the process


if __name__ == "__main__":
    _answer(*sys.argv[1:])
