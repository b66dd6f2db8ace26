"""Read a configuration from its source: a file, a dict, `pyproject.toml` or the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from eventtracking_core._text import dotted, printable
from eventtracking_core.config.formats import PARSERS
from eventtracking_core.errors import ConfigurationError, Problem

__all__ = [
    "CONFIG_FILE",
    "Configuration",
    "Missing",
    "Source",
    "Substituted",
    "read",
    "set_default",
]

CONFIG_FILE: Final = "EVENTTRACKING_CONFIG_FILE"

MAX_FILE_SIZE: Final = 16 * 2**20
MAX_VALUES: Final = 100_000
MAX_DEPTH: Final = 100

TOO_DEEP: Final = "is nested too deep"

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


Source = str | os.PathLike[str] | Mapping[str, Any]

_defaults: Final[list[Callable[[], Source | None]]] = []


class Configuration(NamedTuple):
    """A configuration that was read, and the variables in it that are not set."""

    source: str
    tree: Mapping[str, Any]
    problems: list[Problem]


class Substituted(str):
    """Text with a variable's value in it: it may stand for a number or a truth value."""

    __slots__ = ()


class Missing(Substituted):
    """Text with a variable in it that is not set, which is a problem already."""

    __slots__ = ()


def set_default(source: Callable[[], Source | None]) -> None:
    """Read this where nothing else is named: for a framework with settings of its own.

    Args:
        source: returns a file or the tree itself; None for what would be read otherwise.
    """
    _defaults[:] = [source]


def read(source: Source | None = None) -> Configuration:
    """Read a configuration and substitute the environment's variables in its strings.

    Args:
        source: a file (`.toml`, `.json`, `.yaml`, `.yml`), or the tree itself. Without one, what a
            framework set as the default, else the file that `EVENTTRACKING_CONFIG_FILE` names, else
            `[tool.eventtracking]` in the current directory's `pyproject.toml`.

    Raises:
        ConfigurationError: the file is not there or not well-formed, or the source is neither.
    """
    if source is None and _defaults:
        source = _defaults[0]()
    if isinstance(source, dict | Mapping):  # the abstract class is slow to ask
        name, tree = "configuration", source
    else:
        path = _default() if source is None else _path(source)
        name, tree = printable(path.name), _parse(path)
    substitution = _Substitution()
    try:
        return Configuration(name, substitution.of(tree), substitution.problems)
    except ValueError as error:
        raise ConfigurationError(name, [Problem("", str(error))]) from error


def _path(source: object) -> Path:
    if isinstance(source, str | os.PathLike):
        return Path(source)
    wrong = f"expected a table or the path of a file, got {type(source).__name__}"
    raise ConfigurationError("configuration", [Problem("", wrong)])


def _default() -> Path:
    named = os.environ.get(CONFIG_FILE)
    if named:
        return Path(named)
    project = Path("pyproject.toml")
    if project.is_file() and _section(project) is not None:
        return project
    fix = f"name a file, set {CONFIG_FILE}, or add [tool.eventtracking] to pyproject.toml"
    raise ConfigurationError("configuration", [Problem("", f"there is none: {fix}")])


def _parse(path: Path) -> Mapping[str, Any]:
    if path.name != "pyproject.toml":
        return _table(path)
    section = _section(path)
    if not isinstance(section, dict):
        raise _refused(path, "the table is missing", "tool.eventtracking")
    return section


def _section(project: Path) -> Any:
    tools = _table(project).get("tool")
    return tools.get("eventtracking") if isinstance(tools, dict) else None


def _table(path: Path) -> dict[str, Any]:
    if path.is_dir():
        raise _refused(path, "is a directory: name a file")
    parse = PARSERS.get(path.suffix.lower())
    if parse is None:
        raise _refused(path, f"unknown kind of file; known: {', '.join(PARSERS)}")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_SIZE + 1)
        if len(content) > MAX_FILE_SIZE:
            raise _refused(path, "is larger than 16 MiB")
        table = parse(content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n"))
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _refused(path, "is not UTF-8 text") from error
    except ValueError as error:
        raise _refused(path, f"is not well-formed: {error}") from error
    except RecursionError as error:
        raise _refused(path, TOO_DEEP) from error
    if not isinstance(table, dict):  # the parsers of JSON and YAML return any value
        raise _refused(path, "must be a table")
    return table


def _refused(path: Path, message: str, at: str = "") -> ConfigurationError:
    return ConfigurationError(printable(path.name or str(path)), [Problem(at, printable(message))])


class _Substitution:
    """Puts the environment's values into the strings of a tree."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._path: list[str | int] = []
        self._left = MAX_VALUES

    def of(self, value: Any) -> Any:
        """Return a copy of a value, of plain dicts and lists, with its variables replaced.

        Raises:
            ValueError: it is nested too deep, or has too many values.
        """
        if len(self._path) > MAX_DEPTH:
            raise ValueError(TOO_DEEP)
        is_list = isinstance(value, list | tuple)
        copied = {}
        for key, item in enumerate(value) if is_list else value.items():
            self._left -= 1
            if self._left < 0:  # aliases can make much of little text
                raise ValueError(f"has more than {MAX_VALUES:,} values")
            self._path.append(key)
            if isinstance(item, str):
                copied[key] = self._expanded(item) if "${" in item else item
            elif isinstance(item, dict | list | tuple | Mapping):  # the abstract class is slow
                copied[key] = self.of(item)
            else:
                copied[key] = item
            self._path.pop()
        return list(copied.values()) if is_list else copied

    def _expanded(self, text: str) -> str:
        kind: type[str] = Substituted

        def replace(match: re.Match[str]) -> str:
            nonlocal kind
            name: str = match[1]
            default: str | None = match[2]
            value = os.environ.get(name, default)
            if value is None:
                fix = f"{name} is not set in the environment; set it, or write ${{{name}:-default}}"
                self.problems.append(Problem(dotted(self._path), printable(fix)))
                kind = Missing
                return ""
            return value

        end = text.rfind("}") + 1  # after it, no variable ends: nothing to look for
        expanded, count = _VARIABLE.subn(replace, text[:end])
        return kind(expanded + text[end:]) if count else text
