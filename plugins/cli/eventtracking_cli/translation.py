"""Translate the settings of `event-tracking` into a configuration of ours, and write it as TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

from eventtracking_core.config.compat import translate
from eventtracking_core.config.options import Problems

__all__ = ["Translation", "as_toml"]

_EVENT_BUS: Final = "eventtracking.backends.event_bus.EventBusRoutingBackend"
_SECRET: Final = re.compile(r"(?i)password|secret|token|api_?key|write_?key|credential|auth")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_MONGO_IGNORED: Final = frozenset({"w", "tz_aware"})


class Translation:
    """A configuration of ours for settings in the form `{"ENGINE": …, "OPTIONS": …}`.

    Args:
        backends: `EVENT_TRACKING_BACKENDS`.
        processors: `EVENT_TRACKING_PROCESSORS`.

    Attributes:
        config: the configuration.
        notes: what could not be translated, and what differs, each with its path.
        secrets: values by the environment variables that stand for them.
    """

    def __init__(self, backends: object, processors: object) -> None:
        self.notes: list[str] = []
        self.secrets: dict[str, str] = {}
        self.config: dict[str, Any] = {}
        steps = self._processors(processors, "processors")
        if steps:
            self.config["processors"] = steps
        self.config["backends"] = self._backends(backends, "backends")

    def _note(self, path: str, message: str) -> None:
        self.notes.append(f"{path}: {message}")

    def _backends(self, backends: object, path: str) -> dict[str, Any]:
        if not isinstance(backends, Mapping):
            if backends:
                self._note(path, "not translated: it is no dict")
            return {}
        translated = {}
        for name in sorted(backends, key=str):
            node = self._node(backends[name], f"{path}.{name}")
            if node is not None:
                translated[str(name)] = node
        return translated

    def _processors(self, processors: object, path: str) -> list[Any]:
        if not isinstance(processors, list | tuple):
            return []
        nodes = [self._node(each, f"{path}[{at}]") for at, each in enumerate(processors)]
        return [node for node in nodes if node is not None]

    def _node(self, node: object, path: str) -> dict[str, Any] | None:
        if not isinstance(node, Mapping) or "ENGINE" not in node:
            self._note(path, "not translated: an object that Python code made, or no ENGINE")
            return None
        if node["ENGINE"] == _EVENT_BUS:
            self._note(path, "not translated: there is no native type for the event bus")
            return None
        problems = Problems()
        translated = translate(node, (), problems)
        for problem in problems:
            self._note(f"{path}.{problem.path}" if problem.path else path, problem.message)
        return None if translated is None else self._options(translated, path)

    def _options(self, node: Mapping[str, Any], path: str) -> dict[str, Any]:
        type_name = str(node.get("type", ""))
        if ":" in type_name:
            self._note(path, "a class of yours: its events have an id too, and lists are split")
        elif type_name == "segment" and "write_key" not in node:
            self._note(path, "set write_key: the native type does not use the client's")
        elif type_name == "mongo" and isinstance(node.get("extra"), Mapping):
            extra = {key: node["extra"][key] for key in node["extra"] if key not in _MONGO_IGNORED}
            node = {**node, "extra": extra}
        result: dict[str, Any] = {}
        for key, value in node.items():
            if key == "backends":
                result[key] = self._backends(value, f"{path}.{key}")
            elif key == "processors":
                result[key] = self._processors(value, f"{path}.{key}")
            else:
                option = self._value(key, value, f"{path}.{key}")
                if option is not None:
                    result[key] = option
        return {key: value for key, value in result.items() if value not in ([], {})}

    def _value(self, key: str, value: Any, path: str) -> Any:
        """Return an option's value; None if TOML cannot hold it."""
        if isinstance(value, str) and (_SECRET.search(key) or ("@" in value and "://" in value)):
            variable = re.sub(r"\W+", "_", path.removeprefix("backends.")).upper()
            self._note(path, f"a secret: set the environment variable {variable}")
            self.secrets[variable] = value
            return f"${{{variable}}}"
        if isinstance(value, Mapping):
            entries = {
                str(k): self._value(str(k), each, f"{path}.{k}") for k, each in value.items()
            }
            return {k: each for k, each in entries.items() if each is not None}
        if isinstance(value, list | tuple | set | frozenset):
            items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
            held_items = [self._value(key, each, path) for each in items]
            return [each for each in held_items if each is not None]
        if isinstance(value, str):
            if "${" in value:
                self._note(path, "its ${…} would be replaced by an environment variable")
            return value
        if isinstance(value, bool | int | float | date | datetime):
            return value
        if value is not None:
            self._note(path, f"not translated: TOML has no {type(value).__name__}")
        return None


def as_toml(config: Mapping[str, Any]) -> str:
    """Return a configuration as TOML, with a table for each backend."""
    return "\n".join(_table(config, ())).strip() + "\n"


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    if path and (len(path) % 2 == 0):
        yield f"\n[{'.'.join(map(_key, path))}]"
    for key, value in table.items():
        if key != "backends":
            yield f"{_key(key)} = {_inline(value)}"
    for name, node in table.get("backends", {}).items():
        yield from _table(node, (*path, "backends", name))


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _inline(value: Any) -> str:  # noqa: PLR0911  one for each type
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(key)} = {_inline(each)}" for key, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list):
        parts = [_inline(each) for each in value]
        if sum(map(len, parts)) < 60:  # noqa: PLR2004  a line
            return f"[{', '.join(parts)}]"
        return "[\n" + "".join(f"    {part},\n" for part in parts) + "]"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | datetime):
        return value.isoformat()
    return repr(value)
