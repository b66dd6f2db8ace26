"""Components: find the factory of a type, convert its options, and construct it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeGuard

from eventtracking_core.config.compat import translate
from eventtracking_core.config.options import Annotation, Keys, Problems, kind_of
from eventtracking_core.config.parameters import Parameter, UnresolvableError, parameters
from eventtracking_core.config.settings import misplaced, unknown
from eventtracking_core.config.source import Missing
from eventtracking_core.diagnostics import describe
from eventtracking_core.errors import OptionsError
from eventtracking_core.plugins import PUBLISHED, ComponentKind, Factory, PluginError, plugins
from eventtracking_core.routing import CompositeBackend
from eventtracking_core.routing.capabilities import LOOKED_UP

__all__ = ["RESERVED", "ComponentFactory", "is_composite"]

ComponentType = tuple[Factory, Mapping[str, Parameter], bool, type[CompositeBackend] | None]
"""A factory, its options, whether it takes others besides; itself, if its children run elsewhere.
"""

Nested = Mapping[str, Callable[[object, Keys], object]]

RESERVED: Final = ("accepts", "backends", "delivery", "processors", "type")
"""Options that are of the node and not of its component."""

_NODE_OPTIONS: Final[Mapping[ComponentKind, tuple[str, ...]]] = {
    "backend": ("accepts", "delivery", "processors"),
    "processor": ("on_error",),
}
_CALLS: Final[Mapping[ComponentKind, Mapping[str, str]]] = {
    "backend": {"send": "event", "send_batch": "events, *, timeout"},
    "context provider": {"__call__": ""},
    "metadata store": {"save_event_type": "record"},
    "processor": {"__call__": "event"},
}
"""The methods of which no component lacks all, and the arguments with which they are called."""

_ATTRIBUTES: Final[Mapping[ComponentKind, Collection[str]]] = {
    "backend": LOOKED_UP,
    "context provider": ("__call__",),
    "metadata store": ("save_event_type",),
    "processor": ("__call__", "bind_event_types", "masks", "mutates", "on_error"),
}
"""What is looked up when a pipeline is built; a property may raise anything."""

_OUR_MODULES: Final = tuple(f"eventtracking_{name}" for name in ("core", *PUBLISHED))
_ANY: Final = Annotation(Any)
_HIDDEN: Final = "…"
_PART: Final = re.compile(r"\w{3,}")


class ComponentFactory:
    """Makes components of their nodes.

    Args:
        disabled: names of plugins that must not be loaded.
        problems: the collector of what is wrong.
    """

    def __init__(self, disabled: Iterable[str], problems: Problems) -> None:
        self._disabled = list(disabled)
        self._problems = problems
        self._types: dict[tuple[ComponentKind, str], ComponentType | Exception] = {}

    def find(self, kind: ComponentKind, type_name: object) -> ComponentType | Exception:
        """Return what a type's name stands for, or why it cannot be used; each is found once."""
        if not isinstance(type_name, str):
            return PluginError(f"expected the type of a {kind}")
        component_type = self._types.get((kind, type_name))
        if component_type is None:
            try:
                factory = plugins.find(kind, type_name, self._disabled)
                describe = _describe_class if isinstance(factory, type) else _describe
                component_type = describe(factory)
            except PluginError as error:
                component_type = error
            except UnresolvableError as error:
                component_type = UnresolvableError(f"plugin {plugins.origin(type_name)}: {error}")
            self._types[kind, type_name] = component_type
        return component_type

    def component(
        self, kind: ComponentKind, node: Any, path: Keys, nested: Nested | None = None
    ) -> Any:
        """Return a component, or None where there was a problem.

        Args:
            kind: the kind of component.
            node: its type's name, its table, or the component itself.
            path: where the node is.
            nested: builds the `processors` and `backends` that a component takes as options.
        """
        if isinstance(node, str):
            node = {"type": node}
        if not isinstance(node, dict):
            return self._given(kind, node, path)
        if "ENGINE" in node:
            node = translate(node, path, self._problems)
        if node is None or isinstance(node.get("type"), Missing):
            return None
        component_type = self.find(kind, node.get("type"))
        if isinstance(component_type, Exception):
            self._problems.add((*path, "type"), str(component_type))
            return None
        factory, known, open_ended, composite = component_type
        before = len(self._problems)
        options = self._options(kind, node, path, known, open_ended=open_ended, nested=nested or {})
        required = [name for name, parameter in known.items() if parameter.required]
        for name in required:
            if name not in node:
                self._problems.add((*path, name), "is required")
        if not set(required) <= options.keys():
            return None
        left_out = node.keys() - options.keys() - {"type"}
        component = self._construct(factory, options, known, path, left_out)
        if component is None or len(self._problems) > before:
            return None
        # Nothing calls a composite: it builds a node.
        return component if composite else self._callable(kind, component, path)

    def _given(self, kind: ComponentKind, component: object, path: Keys) -> object:
        """Return a component that was made by the caller, if it is one."""
        if isinstance(component, CompositeBackend):
            message = "must be a table: its children are part of the configuration"
            self._problems.add(path, message)
            return None
        if self._callable(kind, component, path) is None:
            return None
        if any(callable(getattr(component, name, None)) for name in _CALLS[kind]):
            return component
        self._problems.add(path, f"expected a {kind}, got {kind_of(component)}")
        return None

    def _callable(self, kind: ComponentKind, component: object, path: Keys) -> object:
        """Return a component whose methods can be called; else note which one cannot, and how."""
        calls = _CALLS[kind]
        for name in _ATTRIBUTES[kind]:
            try:
                attribute = getattr(component, name, None)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001  a property may raise anything
                self._problems.add(path, f"its attribute {name} cannot be read: {describe(error)}")
                return None
            function = component if name == "__call__" else attribute
            if name in calls and callable(function) and not _takes(function, calls[name]):
                method = "" if name == "__call__" else f"{name} "
                given = f"({calls[name]})" if calls[name] else "no arguments"
                self._problems.add(path, f"{method}must take {given}, as it is called")
                return None
        return component

    def _options(
        self,
        kind: ComponentKind,
        node: Mapping[str, Any],
        path: Keys,
        known: Mapping[str, Parameter],
        *,
        open_ended: bool,
        nested: Nested,
    ) -> dict[str, Any]:
        """Return the options that can be used, converted."""
        options = {}
        for key, value in node.items():
            if key == "type":
                continue
            if key not in known and (key in RESERVED or not open_ended):
                self._problems.add((*path, str(key)), _unknown(kind, key, known))
                continue
            before = len(self._problems)
            if key in nested:
                value, is_converted = nested[key](value, path), True  # noqa: PLW2901  as the rest
            else:
                annotation = known[key].annotation if key in known else _ANY
                value, is_converted = self._problems.convert(  # noqa: PLW2901
                    value, annotation, (*path, str(key))
                )
            if is_converted and len(self._problems) == before:
                options[key] = value
        return options

    def _construct(
        self,
        factory: Factory,
        options: Mapping[str, Any],
        known: Collection[str],
        path: Keys,
        left_out: Iterable[str],
    ) -> Any:
        """Return a component, made with the options that can be used, so that all is checked."""
        try:
            return factory(**options)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  a constructor may raise anything
            for message in _redacted(error, factory, options):
                if any(str(name) in message for name in left_out):  # a consequence of the problem
                    continue
                option, _, advice = message.partition(" ")
                keys = option.split(".")
                if keys[0] in known and advice.startswith("must "):
                    self._problems.add((*path, *keys), advice)
                else:
                    self._problems.add(path, message)
            return None


def _describe(factory: Factory) -> ComponentType:
    composite = factory if is_composite(factory) else None
    return factory, *parameters(factory), composite


_describe_class: Final = lru_cache(_describe)
"""Looking at a signature takes a millisecond, and a class has the same one each time."""


def _takes(function: Callable[..., object], arguments: str) -> bool:
    """Return whether a function can be called so, such as `events, *, timeout`, if that shows."""
    positional, _, named = arguments.partition(", *, ")
    try:
        signature = inspect.signature(function)
    except Exception:  # noqa: BLE001  of C, or an object that forges attributes
        return True
    given = list(filter(None, positional.split(", ")))
    try:
        signature.bind(*given, **dict.fromkeys(filter(None, named.split(", "))))
    except TypeError:
        return False
    return True


def is_composite(factory: object) -> TypeGuard[type[CompositeBackend]]:
    """Return whether a factory is a class of backends whose children run later or elsewhere."""
    return isinstance(factory, type) and hasattr(factory, "build_node")


def _unknown(kind: ComponentKind, key: object, known: Mapping[str, Parameter]) -> str:
    """Return the message for an option that a component does not have."""
    if key == "accepts":
        return "belongs to a router"
    if key in RESERVED:
        return "this type takes none"
    elsewhere = misplaced(key) if kind == "backend" else None
    return elsewhere or unknown(key, sorted(known), common=_NODE_OPTIONS.get(kind, ()))


def _redacted(
    error: BaseException, factory: Callable[..., Any], options: Mapping[str, Any]
) -> Sequence[str]:
    """Return the texts of a constructor's error, without the values of its options.

    A word of them that has something in common with a value is left out, because the error of
    another author's component may quote anything; ours quote nothing.
    """
    if not isinstance(error, ValueError | TypeError):
        return [describe(error)]
    texts = error.messages if isinstance(error, OptionsError) else [str(error)]
    if getattr(factory, "__module__", "").startswith(_OUR_MODULES):
        return [text or type(error).__name__ for text in texts]
    values = list(_texts(options))
    return [
        " ".join(_HIDDEN if _is_quoted(word, values) else word for word in text.split())
        or type(error).__name__
        for text in texts
    ]


def _is_quoted(word: str, values: list[str]) -> bool:
    bare = word.strip("'\"`()[]{}<>,.:;")
    parts = [bare, *_PART.findall(word)] if len(bare) > 1 else []
    return any(part in value for part in parts for value in values)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
        yield repr(value)
