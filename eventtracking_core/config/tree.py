"""Build routers and leaves of the nodes of a configuration."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from eventtracking_core.config.compat import ROUTER, translate
from eventtracking_core.config.component import RESERVED, ComponentFactory
from eventtracking_core.config.options import Annotation, Keys, Problems, kind_of
from eventtracking_core.config.settings import DeliverySettings, misplaced, read_delivery, unknown
from eventtracking_core.delivery import BufferedLeaf, DeliveryOptions
from eventtracking_core.delivery.attempt import Attempt
from eventtracking_core.diagnostics import describe
from eventtracking_core.processors._accepts import Accepts
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
from eventtracking_core.routing.capabilities import speaks_asyncio

if TYPE_CHECKING:
    from eventtracking_core.components import Backend, BatchBackend, Processor
    from eventtracking_core.delivery.attempt import Run
    from eventtracking_core.routing.composite import Owner
    from eventtracking_core.telemetry import OpenTelemetry

__all__ = ["TreeBuilder"]

_Node = Leaf | RoutingBackend

_CLASSES: Final = Annotation(list[str])


class NodeContext(NamedTuple):
    """The place of a node in the tree, and the settings that it inherits.

    Args:
        path: where it is in the configuration, for problems.
        names: the names of its routers and its own.
        inherited_delivery: the settings of delivery that apply to it, the weakest first.
        composite: the class of the node above it that builds its leaves, if there is one.
    """

    path: Keys
    names: tuple[str, ...]
    inherited_delivery: list[DeliverySettings]
    composite: type[RemoteComposite] | None = None

    @property
    def tree_path(self) -> str:
        """The node's path in the tree, which is unique, and which can name a directory."""
        quoted = [quote(name, safe=" ", errors="surrogatepass") for name in self.names]
        return ".".join([name.replace(".", "%2E") for name in quoted])


class TreeBuilder:
    """Builds routers and leaves.

    Attributes:
        guards: what checks the `accepts` of routers, with the paths of the routers.

    Args:
        tracker: the name of the tracker.
        owner: of the event types.
        components: makes the components of the nodes.
        problems: collects what is wrong.
        limits: the delivery options that the environment sets.
        telemetry: measures the attempts of buffered leaves.
    """

    def __init__(
        self,
        tracker: str | None,
        owner: Owner | None,
        components: ComponentFactory,
        problems: Problems,
        *,
        limits: DeliverySettings,
        telemetry: OpenTelemetry | None,
    ) -> None:
        self._tracker = tracker
        self._owner = owner
        self._components = components
        self._limits = limits
        self._telemetry = telemetry
        self._problems = problems
        self._nested = {"processors": self._nested_processors, "backends": self._nested_backends}
        self.guards: list[tuple[Keys, Accepts]] = []

    def root(self, table: Mapping[str, Any]) -> RoutingBackend:
        """Return the root router; where there were problems, what could be built of it."""
        return self._router(table, NodeContext((), (), [self._limits]))

    def _router(self, table: Mapping[str, Any], context: NodeContext) -> RoutingBackend:
        path = context.path
        steps = self._steps(table.get("processors"), path)
        if "accepts" in table:
            accepts = table["accepts"]
            classes, is_converted = self._problems.convert(accepts, _CLASSES, (*path, "accepts"))
            if is_converted:
                guard = Accepts(classes)
                self.guards.append((path, guard))
                steps.append(ProcessorNode(guard, name="accepts"))
        backends = self._backends(table.get("backends"), context)
        router = RoutingBackend()
        router.register_all(backends, steps)
        return router

    def _steps(self, processors: object, path: Keys) -> list[ProcessorNode]:
        steps = []
        for item_path, item in self._problems.items(processors, (*path, "processors")):
            node, on_error = item, None
            if isinstance(item, dict) and "on_error" in item:
                node = {key: value for key, value in item.items() if key != "on_error"}
                on_error = item["on_error"]
                if on_error not in (None, "continue", "drop"):
                    self._problems.add((*item_path, "on_error"), "expected one of: continue, drop")
                    on_error = None
            name = _type_name(node)
            processor: Processor | None = self._components.component(
                "processor", node, item_path, self._nested
            )
            if processor is not None:
                try:
                    steps.append(ProcessorNode(processor, name=name, on_error=on_error))
                except ValueError as error:
                    self._problems.add(item_path, str(error))
        return steps

    def _backends(self, backends: object, context: NodeContext) -> dict[str, _Node]:
        path = (*context.path, "backends")
        if backends is None:
            return {}
        if not isinstance(backends, dict):
            self._problems.add(
                path, f"expected a table of backends by name, got {kind_of(backends)}"
            )
            return {}
        nodes: dict[str, _Node | None] = {}
        for key, node in backends.items():
            name = str(key)
            if name in nodes:
                self._problems.add((*path, name), "is the name of two backends")
            if not name:
                self._problems.add(path, "the name of a backend must not be empty")
            names = (*context.names, name)
            nodes[name] = self._backend(node, context._replace(path=(*path, name), names=names))
        return {name: node for name, node in nodes.items() if node is not None}

    def _backend(self, node: Any, context: NodeContext) -> _Node | None:
        if isinstance(node, str):
            node = {"type": node}
        if not isinstance(node, dict):
            return self._typed(node, context)
        if "ENGINE" in node:
            node = translate(node, context.path, self._problems)
            if node is None:
                return None
        if "delivery" in node:
            delivery = read_delivery(node["delivery"], context.path, self._problems)
            inherited = [*context.inherited_delivery, delivery]
            context = context._replace(inherited_delivery=inherited)
        if node.get("type", ROUTER) == ROUTER:
            return self._typeless(node, context)
        node = {key: value for key, value in node.items() if key != "delivery"}
        component_type = self._components.find("backend", node["type"])
        options: Collection[str] = ()  # its own; what else stands in the node runs before it
        if not isinstance(component_type, Exception):
            _, options, _, composite = component_type
            if composite is not None:
                return self._composite(composite, node, context)
        if "accepts" in node or ("processors" in node and "processors" not in options):
            return self._routed(node, context)
        return self._typed(node, context)

    def _typed(self, node: Any, context: NodeContext) -> _Node | None:
        backend: Backend | BatchBackend | None = self._components.component(
            "backend", node, context.path, self._nested
        )
        if backend is None or isinstance(backend, RoutingBackend):
            return backend
        try:
            return self._leaf(context.names[-1], backend, context, _type_name(node))
        except ValueError as error:
            self._problems.add(context.path, str(error))
            return None

    def _routed(self, node: Mapping[str, Any], context: NodeContext) -> RoutingBackend:
        """Return a router for the one backend that has processors before it."""
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
        default = getattr(backend, "default_delivery", {})
        delivery: dict[str, Any] = {"mode": default} if isinstance(default, str) else dict(default)
        for settings in context.inherited_delivery:
            delivery |= settings
        if "mode" not in delivery:
            delivery["mode"] = "queue" if speaks_asyncio(backend) else "inline"
        place = LeafPlace(name, context.tree_path, type_name, self._tracker, self._owner)
        try:
            if context.composite is not None:
                return context.composite.build_leaf(backend, place, delivery)
            options = DeliveryOptions(**delivery)
        except ValueError as error:
            self._problems.add((*context.path, "delivery"), str(error))
            options = DeliveryOptions()
        if options.mode == "inline":
            return InlineLeaf(name, backend, type_name=type_name)
        run: Run = Attempt.run
        if self._telemetry is not None:
            run = self._telemetry.runner(place.path, type_name or type(backend).__name__)
        return BufferedLeaf(backend, place, options, run)

    def _composite(
        self, composite: type[CompositeBackend], node: Mapping[str, Any], context: NodeContext
    ) -> RoutingBackend | None:
        """Build the parts of a node whose children run later or elsewhere, and let it join them."""
        path, type_name = context.path, str(node["type"])
        options = {key: node[key] for key in node if key not in {"processors", "backends"}}
        backend: CompositeBackend | None = self._components.component(
            "backend", options, path, self._nested
        )
        processors = self._steps(node.get("processors"), path)
        if issubclass(composite, RemoteComposite):
            below = context._replace(inherited_delivery=[self._limits], composite=composite)
        else:
            local = getattr(composite, "local_delivery", {})
            below = context._replace(inherited_delivery=[local, *context.inherited_delivery])
        backends = self._backends(node.get("backends"), below)
        if not node.get("backends"):
            self._problems.add((*path, "backends"), "is required: the backends below it")
        if backend is None:
            return None

        children = RoutingBackend()
        children.register_all(backends)
        make_leaf = partial(self._leaf, context=context, type_name=type_name)
        tree_path = context.tree_path
        parts = CompositeParts(self._tracker, tree_path, type_name, processors, children, make_leaf)
        try:
            return backend.build_node(parts)
        except ValueError as error:
            self._problems.add(path, str(error))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  a plugin may raise anything
            self._problems.add(path, describe(error))
        return None

    def _typeless(self, node: Mapping[str, Any], context: NodeContext) -> RoutingBackend | None:
        path = context.path
        if not {"processors", "backends"} & node.keys():
            needs = "needs" if "type" in node else "needs a type, or"
            self._problems.add(path, f"{needs} processors and backends to be a router")
            return None
        for key in node:
            if key not in RESERVED:
                wrong = misplaced(key) or unknown(key, RESERVED)
                if "did you mean" not in wrong and "belongs" not in wrong:
                    wrong = "a router has no options (add a type to have some)"
                self._problems.add((*path, str(key)), wrong)
        return self._router(node, context)

    def _nested_processors(self, processors: object, path: Keys) -> list[Processor]:
        """Return the processors that a component takes as an option."""
        return [step.processor for step in self._steps(processors, path)]

    def _nested_backends(self, backends: object, path: Keys) -> dict[str, Backend | BatchBackend]:
        """Return the backends that a component takes as an option."""
        return {
            name: child.backend if isinstance(child, Leaf) else child
            for name, child in self._backends(backends, NodeContext(path, (), [])).items()
        }


def _type_name(node: object) -> str | None:
    """Return the type that a node names; None if it is an object."""
    type_name = node.get("type") if isinstance(node, dict) else node
    return type_name if isinstance(type_name, str) else None
