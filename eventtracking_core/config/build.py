"""Build the pipeline that a configuration describes, and collect every problem."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from eventtracking_core._text import join
from eventtracking_core.config import accepts
from eventtracking_core.config.component import ComponentFactory
from eventtracking_core.config.options import Parameter
from eventtracking_core.config.reader import Problems, unknown
from eventtracking_core.config.settings import (
    DELIVERY,
    ROOT_ONLY,
    delivery_from_environment,
    read_policies,
    read_telemetry,
)
from eventtracking_core.config.tree import TreeBuilder
from eventtracking_core.errors import ConfigurationError
from eventtracking_core.pipeline import Pipeline
from eventtracking_core.routing.coroutines import returns_coroutine
from eventtracking_core.settings import SHUTDOWN_TIMEOUT
from eventtracking_core.telemetry import OpenTelemetry
from eventtracking_core.units import Seconds

if TYPE_CHECKING:
    from eventtracking_core.config.source import Configuration
    from eventtracking_core.routing.binding import Owner

__all__ = ["ROOT_KEYS", "build"]

ROOT_KEYS: Final = (*ROOT_ONLY[:1], "processors", "backends", *ROOT_ONLY[1:])
_DISABLE: Final = Parameter("disable", list[str], ())
_SHUTDOWN_TIMEOUT: Final = Parameter("shutdown_timeout", Seconds, SHUTDOWN_TIMEOUT)


def build(
    configuration: Configuration,
    tracker: str | None = "default",
    owner: Owner | None = None,
    *,
    instrumented: bool = False,
) -> Pipeline:
    """Make the components of a configuration, without what `EVENTTRACKING_DISABLE_PLUGINS` names.

    Args:
        configuration: what was read.
        tracker: the name of the tracker it is for, by which other processes find the same tree.
        owner: whose event types the processors and the check of `accepts` go by.
        instrumented: publish metrics and spans as the configuration's `telemetry` says.

    Raises:
        ConfigurationError: with every problem, in the order of the configuration.
    """
    table, problems = configuration.tree, Problems(configuration.problems)
    for key in table:
        if key not in ROOT_KEYS:
            problems.add(join("", key), _unknown_at_root(key))
    variable = os.environ.get("EVENTTRACKING_DISABLE_PLUGINS", "")
    disabled = [name.strip() for name in variable.split(",")]
    components = ComponentFactory([*disabled, *problems.option(table, _DISABLE)], problems)
    timeout = problems.option(table, _SHUTDOWN_TIMEOUT)
    telemetry = read_telemetry(table, problems)
    instrumentation = OpenTelemetry(telemetry) if instrumented and any(telemetry) else None
    policies = read_policies(table, problems)
    providers = [
        _provider(components, node, path, problems)
        for path, node in problems.items(table.get("context"), "context")
    ]
    metadata = table.get("metadata")
    store = metadata and components.component("metadata store", metadata, "metadata")
    environment = delivery_from_environment(problems)
    root = TreeBuilder(
        tracker,
        owner,
        components,
        problems,
        environment=environment,
        telemetry=instrumentation,
    ).root(table)
    pipeline = Pipeline(
        root,
        [provider for provider in providers if provider is not None],
        timeout,
        policies,
        store,
        instrumentation=instrumentation,
        owner=owner,
    )
    accepts.check(root, problems)
    if problems:
        raise ConfigurationError(configuration.source, problems)
    return pipeline


def _provider(components: ComponentFactory, node: object, path: str, problems: Problems) -> Any:
    provider = components.component("context provider", node, path)
    if provider is not None and returns_coroutine(provider):
        problems.add(path, "is `async def`: emitting an event awaits nothing")
        return None
    return provider


def _unknown_at_root(key: object) -> str:
    if key in DELIVERY or key == "delivery":
        return "belongs to a backend" + ("" if key == "delivery" else ", in its table delivery")
    return unknown(key, ROOT_KEYS, "key")
