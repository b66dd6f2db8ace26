"""Where a configuration comes from: a file, a dict, `pyproject.toml` or the environment."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from eventtracking_core.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import yaml

__all__ = ["CONFIG_FILE", "Configuration", "Substituted", "read"]

CONFIG_FILE: Final = "EVENTTRACKING_CONFIG_FILE"

MAX_VALUES: Final = 100_000

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


class Configuration(NamedTuple):
    """What was read, with the problems of reading it: variables that are not set."""

    source: str
    tree: Mapping[str, Any]
    problems: list[Problem]


class Substituted(str):
    """Text with a variable's value in it: it may stand for a number or a truth value."""

    __slots__ = ()


def read(source: str | os.PathLike[str] | Mapping[str, Any] | None = None) -> Configuration:
    """Read a configuration and substitute the environment's variables in its strings.

    Args:
        source: a file (`.toml`, `.json`, `.yaml`, `.yml`), or the tree itself. Without one, the
            file that `EVENTTRACKING_CONFIG_FILE` names, else `[tool.eventtracking]` in the
            current directory's `pyproject.toml`.

    Raises:
        ConfigurationError: the file is not there or not well-formed.
    """
    if isinstance(source, Mapping):
        name, tree = "configuration", source
    else:
        path = Path(source) if source is not None else _default()
        name, tree = path.name, _parse(path)
    problems: list[Problem] = []
    substitution = _Substitution(problems)
    try:
        return Configuration(name, substitution.of(tree, ""), problems)
    except RecursionError as error:
        raise ConfigurationError(name, [Problem("", "is nested too deep")]) from error


def _default() -> Path:
    named = os.environ.get(CONFIG_FILE)
    if named:
        return Path(named)
    project = Path("pyproject.toml")
    if project.is_file() and "eventtracking" in _table(project).get("tool", {}):
        return project
    fix = f"name a file, set {CONFIG_FILE}, or add [tool.eventtracking] to pyproject.toml"
    raise ConfigurationError("configuration", [Problem("", f"there is none: {fix}")])


def _parse(path: Path) -> Mapping[str, Any]:
    table = _table(path)
    if path.name != "pyproject.toml":
        return table
    section = table.get("tool", {}).get("eventtracking")
    if not isinstance(section, dict):
        raise ConfigurationError(path.name, [Problem("tool.eventtracking", "the table is missing")])
    return section


def _table(path: Path) -> dict[str, Any]:
    parse = _PARSERS.get(path.suffix.lower())
    if parse is None:
        known = ", ".join(_PARSERS)
        raise ConfigurationError(path.name, [Problem("", f"unknown kind of file; known: {known}")])
    try:
        table = parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise ConfigurationError(path.name, [Problem("", message)]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(path.name, [Problem("", "is not UTF-8 text")]) from error
    except ValueError as error:
        raise ConfigurationError(
            path.name, [Problem("", f"is not well-formed: {error}")]
        ) from error
    except RecursionError as error:
        raise ConfigurationError(path.name, [Problem("", "is nested too deep")]) from error
    if not isinstance(table, dict):  # the parsers of JSON and YAML return any value
        raise ConfigurationError(path.name, [Problem("", "must be a table")])
    return table


def _json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_without_duplicates)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"duplicate key {next(key for key in keys if keys.count(key) > 1)!r}")
    return table


def _yaml(text: str) -> Any:
    try:
        import yaml  # noqa: PLC0415  an optional dependency
    except ImportError as error:
        raise ValueError("YAML needs: pip install 'eventtracking-core[yaml]'") from error

    class Loader(yaml.SafeLoader):
        """The safe loader, which a duplicate key is an error to."""

        def construct_mapping(
            self,
            node: yaml.MappingNode,
            deep: bool = False,  # noqa: FBT001, FBT002  the loader's own
        ) -> dict[Hashable, Any]:
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            for key in keys:
                if keys.count(key) > 1:
                    raise ValueError(f"duplicate key {key!r}, line {node.start_mark.line + 1}")
            return super().construct_mapping(node, deep=deep)

    try:
        return yaml.load(text, Loader)  # noqa: S506  a SafeLoader
    except yaml.MarkedYAMLError as error:
        # What it says of the problem may quote a value: `password: *secret` is an alias to it.
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ValueError(f"line {line} (quote texts that begin with & * ! | > % @)") from error
    except yaml.YAMLError as error:
        raise ValueError("a character that YAML does not allow") from error


_PARSERS: Final[Mapping[str, Callable[[str], Any]]] = {
    ".toml": tomllib.loads,
    ".json": _json,
    ".yaml": _yaml,
    ".yml": _yaml,
}


class _Substitution:
    """Puts the environment's values into the strings of a tree."""

    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems
        self._left = MAX_VALUES

    def of(self, value: Any, path: str) -> Any:
        self._left -= 1
        if self._left < 0:  # aliases can make little text a great deal
            raise RecursionError
        if isinstance(value, Mapping):
            return {key: self.of(item, f"{path}.{key}".lstrip(".")) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.of(item, f"{path}[{number}]") for number, item in enumerate(value)]
        if isinstance(value, str) and "${" in value:
            return self._expanded(value, path)
        return value

    def _expanded(self, text: str, path: str) -> str:
        def replace(match: re.Match[str]) -> str:
            name: str = match[1]
            default: str | None = match[2]
            found = os.environ.get(name, default)
            if found is None:
                fix = f"{name} is not set in the environment; set it, or write ${{{name}:-default}}"
                self._problems.append(Problem(path, fix))
                return ""
            return found

        expanded = _VARIABLE.sub(replace, text)
        return Substituted(expanded) if expanded != text else text
