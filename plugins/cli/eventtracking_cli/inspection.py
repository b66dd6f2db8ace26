"""What installed plugins register, found out where a plugin that hangs or exits hurts nobody.

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
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import EntryPoint
from pkgutil import iter_modules
from typing import IO, Any, Final, NamedTuple, get_args

import click

from eventtracking_cli.terminal import plain
from eventtracking_core import backends, processors, providers
from eventtracking_core.plugins import Kind, PluginError, Plugins, installed, plugins

__all__ = ["TIMEOUT", "Inspected", "command", "inspect_all", "inspect_built_in"]

TIMEOUT: Final = 5.0
"""Seconds a plugin may take to import before its process is ended."""

_COMMANDS: Final = "eventtracking_commands"
_HOMES: Final[Mapping[Kind, Any]] = {
    "context provider": providers,
    "processor": processors,
    "backend": backends,
}


class Inspected(NamedTuple):
    """What a plugin is, and what came of importing it."""

    name: str
    distribution: str
    version: str
    registers: Mapping[str, list[str]] = {}
    """Type names by kind."""
    commands: Mapping[str, str] = {}
    """Summaries by name."""
    problem: str | None = None


def inspect_built_in() -> Inspected:
    """Return what comes with the core."""
    from importlib.metadata import version  # noqa: PLC0415  reads files

    distribution = "eventtracking-core"
    registers: dict[str, list[str]] = {
        kind: sorted(module.name for module in iter_modules(home.__path__) if module.name[0] != "_")
        for kind, home in _HOMES.items()
    }
    return Inspected("(built in)", distribution, version(distribution), registers)


def inspect_all(timeout: float = TIMEOUT) -> list[Inspected]:
    """Import every installed plugin, each in a process of its own, and return what came of it.

    Args:
        timeout: seconds that each may take.
    """
    entry_points = installed()
    claims = Counter(entry_point.name for entry_point in entry_points)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        found = list(pool.map(lambda entry_point: _inspect(entry_point, timeout), entry_points))
    return [
        inspected._replace(problem="two distributions claim the name; uninstall one of them")
        if claims[inspected.name] > 1
        else inspected
        for inspected in found
    ]


def command(name: str) -> click.Command | None:
    """Return the command that a plugin adds, None where no plugin has one of that name.

    Only the plugin that has it is imported.

    Raises:
        ClickException: several plugins have it.
        PluginError: the plugin cannot be used.
    """
    owners = [inspected for inspected in inspect_all() if name in inspected.commands]
    if len(owners) > 1:
        both = " and ".join(plain(owner.distribution) for owner in owners)
        message = f"command {plain(name)!r} is claimed by {both}; uninstall one of them"
        raise click.ClickException(message)
    if not owners:
        return None
    plugins.load(_entry_point(owners[0].name, owners[0].distribution))
    return _commands(plugins, owners[0].name)[name]


def _commands(registry: Plugins, name: str) -> dict[str, click.Command]:
    found = registry.call(_COMMANDS, name)
    commands = list(found[0]) if found and isinstance(found[0], Iterable) else []
    if not all(isinstance(item, click.Command) and item.name for item in commands):
        raise PluginError(f"plugin {name!r}: {_COMMANDS} must return click commands with names")
    return {item.name: item for item in commands}


def _entry_point(name: str, distribution: str) -> EntryPoint:
    return next(
        entry_point
        for entry_point in installed()
        if entry_point.name == name and _distribution(entry_point)[0] == distribution
    )


def _distribution(entry_point: EntryPoint) -> tuple[str, str]:
    dist = entry_point.dist
    return (dist.name, dist.version) if dist else ("", "")


def _inspect(entry_point: EntryPoint, timeout: float) -> Inspected:
    inspected = Inspected(entry_point.name, *_distribution(entry_point))
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


def _look(name: str, distribution: str) -> dict[str, Any]:
    registry = Plugins()
    try:
        registry.load(_entry_point(name, distribution))
        registers = {kind: sorted(registry.factories(kind, name)) for kind in get_args(Kind)}
        commands = {
            command_name: found.get_short_help_str(limit=60)
            for command_name, found in _commands(registry, name).items()
        }
    except PluginError as error:
        return {"problem": str(error)}
    return {"registers": registers, "commands": commands}


def _answer(descriptor: str, name: str, distribution: str) -> None:
    with open(int(descriptor), "w", encoding="utf-8") as answer:  # noqa: PTH123  by descriptor
        json.dump(_look(name, distribution), answer)
    os._exit(0)  # what the plugin left running must not keep the process


if __name__ == "__main__":
    _answer(*sys.argv[1:])
