"""Components: find the factory of a type, convert its options, and construct it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from eventtracking_core.config.compat import translate
from eventtracking_core.config.options import Parameter, UnresolvableError, parameters
from eventtracking_core.config.reader import kind_of
from eventtracking_core.config.remote import is_remote
from eventtracking_core.diagnostics import describe
from eventtracking_core.plugins import Kind, PluginError, plugins

if TYPE_CHECKING:
    from eventtracking_core.config.reader import Problems

__all__ = ["RESERVED", "ComponentFactory", "redacted_error"]

Nested = Mapping[str, Callable[[object, str], object]]

RESERVED: Final = frozenset({"type", "processors", "backends", "delivery", "accepts"})
_METHODS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "backend": ("send", "send_batch"),
    "metadata store": ("save_event_type",),
}
_PACKAGES: Final = (
    *("async_router", "core", "file", "logger", "mongo"),
    *("otel", "segment", "sqlite", "structlog"),
)
_OUR_MODULES: Final = tuple(f"eventtracking_{name}" for name in _PACKAGES)
_HIDDEN: Final = "…"
_PART: Final = re.compile(r"\w{3,}")


class ComponentFactory:
    """Makes components of their nodes.

    Args:
        disabled: names of plugins that must not be loaded.
        problems: the collector of what is wrong.
    """

    def __init__(self, disabled: Iterable[str], problems: Problems) -> None:
        self.disabled = list(disabled)
        self._problems = problems

    def component(self, kind: Kind, node: Any, path: str, nested: Nested | None = None) -> Any:
        """Return a component, or None where there was a problem.

        Args:
            kind: the kind of component.
            node: its type's name, its table, or the component itself.
            path: where the node is.
            nested: builds the `processors` and `backends` that a component takes as options.
        """
        if isinstance(node, str):
            node = {"type": node}
        if not isinstance(node, Mapping):
            return self._given(kind, node, path)
        translated = translate(node, path, self._problems)
        if translated is None:
            return None
        type_name = translated.get("type")
        if not isinstance(type_name, str):
            self._problems.add(f"{path}.type", f"expected the type of a {kind}")
            return None
        try:
            factory = plugins.find(kind, type_name, self.disabled)
        except PluginError as error:
            self._problems.add(f"{path}.type", str(error))
            return None
        return self._construct(factory, translated, path, nested or {})

    def _given(self, kind: Kind, component: object, path: str) -> object:
        """Return a component that was made by the caller, if it is one."""
        if is_remote(component):
            message = "must be a table: its workers have to read the same configuration"
            self._problems.add(path, message)
            return None
        methods = _METHODS.get(kind, ("__call__",))
        if any(callable(getattr(component, name, None)) for name in methods):
            return component
        self._problems.add(path, f"expected a {kind}, got {kind_of(component)}")
        return None

    def _construct(
        self, factory: Callable[..., Any], node: Mapping[str, Any], path: str, nested: Nested
    ) -> Any:
        try:
            known, open_ended = parameters(factory)
        except UnresolvableError as error:
            where = plugins.origin(str(node["type"]))
            self._problems.add(f"{path}.type", f"plugin {where}: {error}")
            return None
        options = {
            key: self._value(key, value, known, path, nested)
            for key, value in node.items()
            if key != "type" and self._is_known(key, known, path, open_ended=open_ended)
        }
        for name, parameter in known.items():
            if parameter.required and name not in node:
                self._problems.add(f"{path}.{name}", "is required")
        if self._problems.has_below(path):
            return None
        try:
            return factory(**options)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  a constructor may raise anything
            self._problems.add(path, redacted_error(error, factory, options))
            return None

    def _is_known(
        self, key: str, known: Mapping[str, Parameter], path: str, *, open_ended: bool
    ) -> bool:
        if key in known or (open_ended and key not in RESERVED):
            return True
        expected = ", ".join(sorted(known)) or "no options"
        message = f"unknown option (expected one of: {expected})"
        if key in RESERVED:
            message = "belongs to a router" if key == "accepts" else "this type takes none"
        self._problems.add(f"{path}.{key}", message)
        return False

    def _value(
        self, key: str, value: object, known: Mapping[str, Parameter], path: str, nested: Nested
    ) -> Any:
        if key in nested:
            return nested[key](value, path)
        if key not in known:
            return value
        at = f"{path}.{key}"
        if self._problems.has_below(at):  # a variable in it is not set
            return None
        return self._problems.convert(value, known[key].hint, at)[0]


def redacted_error(
    error: BaseException, factory: Callable[..., Any], options: Mapping[str, Any]
) -> str:
    """Return the text of a constructor's error, without the values of its options.

    A word of it that has something in common with a value is left out, because the error of
    somebody else's component may quote anything; ours quote nothing.
    """
    if not isinstance(error, ValueError | TypeError):
        return describe(error)
    text = str(error) or type(error).__name__
    if getattr(factory, "__module__", "").startswith(_OUR_MODULES):
        return text
    values = list(_texts(options))
    return " ".join(_HIDDEN if _is_quoted(word, values) else word for word in text.split())


def _is_quoted(word: str, values: list[str]) -> bool:
    bare = word.strip("'\"`()[]{}<>,.:;")
    parts = [bare, *_PART.findall(word)] if len(bare) > 1 else []
    return any(part in value for part in parts for value in values)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
        yield repr(value)
