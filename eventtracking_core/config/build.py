"""From a tree of tables to a tree of components, collecting every problem on the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from eventtracking_core.config import accepts, delivery, policies, remote, telemetry
from eventtracking_core.config.convert import Parameter, UnresolvableError, convert, parameters
from eventtracking_core.config.place import Place, join, kind_of, type_name_of
from eventtracking_core.config.reader import Reader
from eventtracking_core.config.refusal import refusal
from eventtracking_core.config.upstream import translate
from eventtracking_core.delivery import BufferedLeaf, RemoteLeaf, RemoteRouter
from eventtracking_core.delivery.remote import PUBLISHER
from eventtracking_core.errors import ConfigurationError
from eventtracking_core.options import Seconds
from eventtracking_core.plugins import Kind, PluginError, plugins
from eventtracking_core.routing import Leaf, RoutingBackend, Step
from eventtracking_core.tree import SHUTDOWN_TIMEOUT, Tree

if TYPE_CHECKING:
    from eventtracking_core.components import Backend, BatchBackend, Processor
    from eventtracking_core.config.source import Configuration
    from eventtracking_core.delivery.remote import RemoteComponent
    from eventtracking_core.routing.binding import Owner

__all__ = ["ROOT_KEYS", "build"]

_Node = Leaf | RoutingBackend

ROOT_KEYS: Final = (
    *("context", "processors", "backends", "metadata", "disable", "shutdown_timeout", "telemetry"),
    *policies.POLICIES,
)
_METHODS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "backend": ("send", "send_batch"),
    "metadata store": ("save_event_type",),
}
_RESERVED: Final = frozenset({"type", "processors", "backends", "delivery", "accepts"})


def build(
    configuration: Configuration, tracker: str | None = "default", owner: Owner | None = None
) -> Tree:
    """Make the components of a configuration, without what `EVENTTRACKING_DISABLE_PLUGINS` names.

    Args:
        configuration: what was read.
        tracker: the name of the tracker it is for, by which other processes find the same tree.
        owner: whose event types the processors and the check of `accepts` go by.

    Raises:
        ConfigurationError: with every problem, in the order of the configuration.
    """
    return _Builder(configuration, tracker, owner).build()


class _Builder(Reader):
    def __init__(
        self, configuration: Configuration, tracker: str | None, owner: Owner | None
    ) -> None:
        super().__init__(configuration.problems)
        self._tracker = tracker
        self._owner = owner
        self._source = configuration.source
        self._tree = configuration.tree
        disabled = os.environ.get("EVENTTRACKING_DISABLE_PLUGINS", "").split(",")
        self._disabled = [name.strip() for name in disabled]

    def build(self) -> Tree:
        tree = self._tree
        for key in tree:
            if key not in ROOT_KEYS:
                self.problem(str(key), f"unknown key (expected one of: {', '.join(ROOT_KEYS)})")
        self._disabled += self.option(tree, "disable", list[str], [])
        timeout = self.option(tree, "shutdown_timeout", Seconds, SHUTDOWN_TIMEOUT)
        told = telemetry.read(tree, self.problems)
        settled = policies.read(tree, self.problems)
        providers = [
            self._component("context provider", node, path)
            for path, node in self.list_of(tree.get("context"), "context")
        ]
        metadata = tree.get("metadata")
        store = metadata and self._component("metadata store", metadata, "metadata")
        self._environment = delivery.from_environment(self.problems)
        root = self._router(tree, Place("", (), [self._environment]))
        accepts.check(root, self._owner, self.problems)
        if self.problems:
            raise ConfigurationError(self._source, self.problems)
        providers = [provider for provider in providers if provider]
        return Tree(root, providers, timeout, settled, store, telemetry=told)

    def _router(self, table: Mapping[str, Any], place: Place) -> RoutingBackend:
        router = RoutingBackend()
        guards = accepts.steps(table, place.path, self.problems)
        for step in (*self._steps(table, place.path), *guards):
            router.register_processor(step)
        for name, backend in self._backends(table, place).items():
            router.register_backend(name, backend)
        return router

    def _steps(self, table: Mapping[str, Any], path: str) -> list[Step]:
        made = []
        for at, item in self.list_of(table.get("processors"), join(path, "processors")):
            node, on_error = item, None
            if isinstance(item, Mapping):
                node = {key: value for key, value in item.items() if key != "on_error"}
                on_error = self._on_error(item, at)
            processor: Processor | None = self._component("processor", node, at)
            if processor is not None:
                try:
                    made.append(Step(processor, name=type_name_of(node), on_error=on_error))
                except ValueError as error:
                    self.problem(at, str(error))
        return made

    def _on_error(self, node: Mapping[str, Any], path: str) -> Any:
        on_error = node.get("on_error")
        if on_error not in (None, "continue", "drop"):
            self.problem(f"{path}.on_error", "expected one of: continue, drop")
            return None
        return on_error

    def _backends(self, table: Mapping[str, Any], place: Place) -> dict[str, _Node]:
        children = table.get("backends")
        at = join(place.path, "backends")
        if children is None:
            return {}
        if not isinstance(children, Mapping):
            self.problem(at, f"expected a table of backends by name, got {kind_of(children)}")
            return {}
        named = [str(name) for name in children]
        for name in dict.fromkeys(name for name in named if named.count(name) > 1):
            self.problem(f"{at}.{name}", "is the name of two backends")
        made = {
            str(name): self._backend(
                node, place._replace(path=f"{at}.{name}", names=(*place.names, str(name)))
            )
            for name, node in children.items()
        }
        return {name: backend for name, backend in made.items() if backend is not None}

    def _backend(self, node: Any, place: Place) -> _Node | None:
        path = place.path
        if isinstance(node, Mapping):
            ours = translate(node, path, self.problems)
            if ours is None:
                return None
            node = ours
            place = place._replace(layers=[*place.layers, delivery.read(node, path, self.problems)])
            if "type" not in node:
                return self._typeless(node, place)
            node = {key: value for key, value in node.items() if key != "delivery"}
        if remote.runs_elsewhere(node, self._disabled):
            return self._remote(node, place)
        backend: Backend | BatchBackend | None = self._component("backend", node, path)
        if backend is None or isinstance(backend, RoutingBackend):
            return backend
        if remote.is_remote(backend):
            self.problem(f"{path}.backends", remote.CHILDLESS)
            return None
        return self._leaf(place.names[-1], backend, place, type_name_of(node))

    def _leaf(
        self, name: str, backend: Backend | BatchBackend, place: Place, type_name: str | None
    ) -> Leaf:
        options = delivery.resolve(place.layers, backend, place.path, self.problems)
        if place.is_remote:
            remote.check(options, place, self.problems)
            return RemoteLeaf(name, backend, options=options, path=place.node, type_name=type_name)
        if options.mode == "inline":
            return Leaf(name, backend, type_name=type_name)
        return BufferedLeaf(name, backend, options=options, path=place.node, type_name=type_name)

    def _remote(self, node: Mapping[str, Any], place: Place) -> RemoteRouter | None:
        """Build a node whose own processors run here, and its children elsewhere."""
        remote.check_tracker(self._tracker, place, self.problems)
        options = {key: value for key, value in node.items() if key not in remote.CHILDREN}
        component: RemoteComponent | None = self._component("backend", options, place.path)
        steps = self._steps(node, place.path)
        children = RoutingBackend()
        for name, child in self._backends(node, remote.below(place, self._environment)).items():
            children.register_backend(name, child)
        if not node.get("backends"):
            self.problem(f"{place.path}.backends", remote.CHILDLESS)
        if component is None or self._tracker is None:
            return None
        carrier = component.carrier(self._tracker, place.node)
        type_name = type_name_of(node)
        publisher = self._leaf(PUBLISHER, carrier, place, type_name)
        return RemoteRouter(
            place.node, type_name, steps=steps, publisher=publisher, children=children
        )

    def _typeless(self, node: Mapping[str, Any], place: Place) -> RoutingBackend | None:
        if not {"processors", "backends"} & node.keys():
            self.problem(place.path, "needs a type, or processors and backends to be a router")
            return None
        for key in node:
            if key not in _RESERVED:
                self.problem(
                    f"{place.path}.{key}", "a router has no options (add a type to have some)"
                )
        return self._router(node, place)

    def _component(self, kind: Kind, node: Any, path: str) -> Any:
        """Return a component, or None where there was a problem."""
        if isinstance(node, str):
            node = {"type": node}
        if not isinstance(node, Mapping):
            return self._object(kind, node, path)
        ours = translate(node, path, self.problems)
        if ours is None:
            return None
        node, type_name = ours, ours.get("type")
        if not isinstance(type_name, str):
            self.problem(f"{path}.type", f"expected the type of a {kind}")
            return None
        try:
            factory = plugins.find(kind, type_name, self._disabled)
        except PluginError as error:
            self.problem(f"{path}.type", str(error))
            return None
        return self._make(factory, node, path)

    def _object(self, kind: Kind, node: object, path: str) -> object:
        if remote.is_remote(node):
            self.problem(path, "must be a table: its workers have to read the same configuration")
            return None
        methods = _METHODS.get(kind, ("__call__",))
        usable = any(callable(getattr(node, name, None)) for name in methods)
        if usable:
            return node
        self.problem(path, f"expected a {kind}, got {kind_of(node)}")
        return None

    def _make(self, factory: Callable[..., Any], node: Mapping[str, Any], path: str) -> Any:
        try:
            known, open_ended = parameters(factory)
        except UnresolvableError as error:
            where = plugins.origin(str(node["type"]))
            self.problem(f"{path}.type", f"plugin {where}: {error}")
            return None
        options = {
            key: self._value(key, value, known, path)
            for key, value in node.items()
            if key != "type" and self._is_known(key, known, path, open_ended=open_ended)
        }
        for name, parameter in known.items():
            if parameter.required and name not in node:
                self.problem(f"{path}.{name}", "is required")
        if self.is_wrong(path):
            return None
        try:
            return factory(**options)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  a constructor may raise anything
            self.problem(path, refusal(error, factory, options))
            return None

    def _is_known(
        self, key: str, known: Mapping[str, Parameter], path: str, *, open_ended: bool
    ) -> bool:
        if key in known or (open_ended and key not in _RESERVED):
            return True
        expected = ", ".join(sorted(known)) or "no options"
        message = f"unknown option (expected one of: {expected})"
        if key in _RESERVED:
            message = "belongs to a router" if key == "accepts" else "this type takes none"
        self.problem(f"{path}.{key}", message)
        return False

    def _value(self, key: str, value: object, known: Mapping[str, Parameter], path: str) -> Any:
        if key == "processors":
            return [step.processor for step in self._steps({key: value}, path)]
        if key == "backends":
            return {
                name: child.backend if isinstance(child, Leaf) else child
                for name, child in self._backends({key: value}, Place(path, (), [])).items()
            }
        if key not in known:
            return value
        at = f"{path}.{key}"
        if self.is_wrong(at):  # a variable in it is not set
            return None
        converted, problems = convert(value, known[key].hint, at)
        self.problems += problems
        return converted
