"""Build routers and leaves of the nodes of a configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from eventtracking_core._text import join
from eventtracking_core.config import accepts
from eventtracking_core.config.compat import ROUTER, translate
from eventtracking_core.config.component import RESERVED, ComponentFactory
from eventtracking_core.config.reader import (
    DeliverySettings,
    NodeContext,
    Problems,
    kind_of,
    type_name_of,
    unknown,
)
from eventtracking_core.config.settings import merge_delivery, misplaced, read_delivery
from eventtracking_core.delivery import BufferedLeaf, DeliveryOptions
from eventtracking_core.delivery.attempt import Attempt
from eventtracking_core.routing import (
    CompositeBackend,
    CompositeParts,
    InlineLeaf,
    Leaf,
    LeafPlace,
    ProcessorNode,
    RemoteComposite,
    RoutingBackend,
)

if TYPE_CHECKING:
    from eventtracking_core.components import Backend, BatchBackend, Processor
    from eventtracking_core.delivery.attempt import Run
    from eventtracking_core.routing.binding import Owner
    from eventtracking_core.telemetry import OpenTelemetry

__all__ = ["TreeBuilder"]

_Node = Leaf | RoutingBackend


class TreeBuilder:
    """Builds routers and leaves.

    Args:
        tracker: the name of the tracker.
        owner: of the event types.
        components: makes the components of the nodes.
        problems: collects what is wrong.
        environment: the delivery options that the environment sets.
        telemetry: measures the attempts of buffered leaves.
    """

    def __init__(
        self,
        tracker: str | None,
        owner: Owner | None,
        components: ComponentFactory,
        problems: Problems,
        *,
        environment: DeliverySettings,
        telemetry: OpenTelemetry | None,
    ) -> None:
        self._tracker = tracker
        self._owner = owner
        self._components = components
        self._environment = environment
        self._telemetry = telemetry
        self._problems = problems

    def root(self, table: Mapping[str, Any]) -> RoutingBackend:
        """Return the root router; where there were problems, what could be built of it."""
        return self._router(table, NodeContext("", (), [self._environment]))

    def _router(self, table: Mapping[str, Any], context: NodeContext) -> RoutingBackend:
        router = RoutingBackend()
        guards = accepts.steps(table, context.path, self._problems)
        for step in (*self._steps(table.get("processors"), context.path), *guards):
            router.register_processor(step)
        for name, backend in self._backends(table.get("backends"), context).items():
            router.register_backend(name, backend)
        return router

    def _steps(self, processors: object, path: str) -> list[ProcessorNode]:
        steps = []
        for at, item in self._problems.items(processors, join(path, "processors")):
            node, on_error = item, None
            if isinstance(item, dict):
                node = {key: value for key, value in item.items() if key != "on_error"}
                on_error = self._on_error(item, at)
            processor: Processor | None = self._component("processor", node, at)
            if processor is not None:
                try:
                    steps.append(
                        ProcessorNode(processor, name=type_name_of(node), on_error=on_error)
                    )
                except ValueError as error:
                    self._problems.add(at, str(error))
        return steps

    def _on_error(self, node: Mapping[str, Any], path: str) -> Any:
        on_error = node.get("on_error")
        if on_error not in (None, "continue", "drop"):
            self._problems.add(f"{path}.on_error", "expected one of: continue, drop")
            return None
        return on_error

    def _backends(self, backends: object, context: NodeContext) -> dict[str, _Node]:
        at = join(context.path, "backends")
        if backends is None:
            return {}
        if not isinstance(backends, dict):
            self._problems.add(at, f"expected a table of backends by name, got {kind_of(backends)}")
            return {}
        for name, count in Counter(map(str, backends)).items():
            if count > 1:
                self._problems.add(join(at, name), "is the name of two backends")
            if not name:
                self._problems.add(at, "the name of a backend must not be empty")
        nodes = {
            str(name): self._backend(
                node, context._replace(path=join(at, name), names=(*context.names, str(name)))
            )
            for name, node in backends.items()
        }
        return {name: node for name, node in nodes.items() if node is not None}

    def _backend(self, node: Any, context: NodeContext) -> _Node | None:
        path = context.path
        if isinstance(node, str):
            node = {"type": node}
        if isinstance(node, dict):
            translated = translate(node, path, self._problems)
            if translated is None:
                return None
            node = translated
            delivery = read_delivery(node, path, self._problems)
            inherited = [*context.inherited_delivery, delivery]
            context = context._replace(inherited_delivery=inherited)
            if node.get("type", ROUTER) == ROUTER:
                return self._typeless(node, context)
            node = {key: value for key, value in node.items() if key != "delivery"}
            composite = self._components.composite(node["type"])
            if composite is not None:
                return self._composite(composite, node, context)
            if self._is_routed(node):
                return self._routed(node, context)
        return self._typed(node, context)

    def _typed(self, node: Any, context: NodeContext) -> _Node | None:
        backend: Backend | BatchBackend | None = self._component("backend", node, context.path)
        if backend is None or isinstance(backend, RoutingBackend):
            return backend
        try:
            return self._leaf(context.names[-1], backend, context, type_name_of(node))
        except ValueError as error:
            self._problems.add(context.path, str(error))
            return None

    def _is_routed(self, node: Mapping[str, Any]) -> bool:
        """Return whether a backend has processors before it that are not an option of its own."""
        return "accepts" in node or (
            "processors" in node
            and not self._components.takes("backend", node["type"], "processors")
        )

    def _routed(self, node: Mapping[str, Any], context: NodeContext) -> RoutingBackend:
        """Return a router for the one backend that has processors of its own."""
        options = {key: node[key] for key in node if key not in {"accepts", "processors"}}
        table = {key: node[key] for key in node if key in {"accepts", "processors"}}
        router = self._router(table, context)
        leaf = self._typed(options, context)
        if leaf is not None:
            router.register_backend(context.names[-1], leaf)
        return router

    def _leaf(
        self,
        name: str,
        backend: Backend | BatchBackend,
        context: NodeContext,
        type_name: str | None,
    ) -> Leaf:
        delivery = merge_delivery(context, backend)
        place = LeafPlace(name, context.tree_path, type_name, self._tracker, self._owner)
        try:
            if context.composite is not None:
                return context.composite.build_leaf(backend, place, delivery)
            options = DeliveryOptions(**delivery)
        except ValueError as error:
            self._problems.add(f"{context.path}.delivery", str(error))
            options = DeliveryOptions()
        if options.mode == "inline":
            return InlineLeaf(name, backend, type_name=type_name)
        run = self._runner(place.path, type_name or type(backend).__name__)
        return BufferedLeaf(backend, place, options, run)

    def _runner(self, path: str, type_name: str) -> Run:
        return Attempt.run if self._telemetry is None else self._telemetry.runner(path, type_name)

    def _composite(
        self, composite: type[CompositeBackend], node: Mapping[str, Any], context: NodeContext
    ) -> RoutingBackend | None:
        """Build the parts of a node whose children run later or elsewhere, and let it join them."""
        path, type_name = context.path, str(node["type"])
        options = {key: node[key] for key in node if key not in {"processors", "backends"}}
        backend: CompositeBackend | None = self._component("backend", options, path)
        processors = self._steps(node.get("processors"), path)
        children = RoutingBackend()
        if issubclass(composite, RemoteComposite):
            below = context._replace(inherited_delivery=[self._environment], composite=composite)
        else:
            local = getattr(composite, "local_delivery", {})
            below = context._replace(inherited_delivery=[local, *context.inherited_delivery])
        for name, child in self._backends(node.get("backends"), below).items():
            children.register_backend(name, child)
        if not node.get("backends"):
            self._problems.add(f"{path}.backends", "is required: the backends below it")
        if backend is None:
            return None

        def make_leaf(name: str, backend: Backend | BatchBackend) -> Leaf:
            return self._leaf(name, backend, context, type_name)

        tree_path = context.tree_path
        parts = CompositeParts(self._tracker, tree_path, type_name, processors, children, make_leaf)
        try:
            return backend.build_node(parts)
        except ValueError as error:
            self._problems.add(path, str(error))
            return None

    def _typeless(self, node: Mapping[str, Any], context: NodeContext) -> RoutingBackend | None:
        path = context.path
        if not {"processors", "backends"} & node.keys():
            need = "processors and backends to be a router"
            self._problems.add(
                path, f"needs {need}" if "type" in node else f"needs a type, or {need}"
            )
            return None
        for key in node:
            if key not in RESERVED:
                message = "a router has no options (add a type to have some)"
                near = unknown(key, RESERVED)
                near = near if "did you mean" in near else message
                self._problems.add(join(path, key), misplaced(key) or near)
        return self._router(node, context)

    def _component(self, kind: Any, node: Any, path: str) -> Any:
        nested = {"processors": self._nested_processors, "backends": self._nested_backends}
        return self._components.component(kind, node, path, nested)

    def _nested_processors(self, processors: object, path: str) -> list[Processor]:
        """Return the processors that a component takes as an option."""
        return [step.processor for step in self._steps(processors, path)]

    def _nested_backends(self, backends: object, path: str) -> dict[str, Backend | BatchBackend]:
        """Return the backends that a component takes as an option."""
        return {
            name: child.backend if isinstance(child, Leaf) else child
            for name, child in self._backends(backends, NodeContext(path, (), [])).items()
        }
