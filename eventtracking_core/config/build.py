"""Build the pipeline that a configuration describes, and collect every problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eventtracking_core.config.component import ComponentFactory
from eventtracking_core.config.options import Keys, Problems
from eventtracking_core.config.settings import (
    DELIVERY,
    ROOT_ONLY,
    read_settings,
    unknown,
)
from eventtracking_core.config.tree import TreeBuilder
from eventtracking_core.errors import ConfigurationError
from eventtracking_core.pipeline.pipeline import Pipeline
from eventtracking_core.routing.capabilities import returns_coroutine
from eventtracking_core.telemetry import OpenTelemetry

if TYPE_CHECKING:
    from eventtracking_core.config.source import Configuration
    from eventtracking_core.routing.composite import Owner

__all__ = ["ROOT_KEYS", "build"]

ROOT_KEYS: Final = (*ROOT_ONLY[:1], "processors", "backends", *ROOT_ONLY[1:])


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
            problems.add((str(key),), _unknown_at_root(key))
    disabled, timeout, policies, telemetry, limits = read_settings(table, problems)
    published = OpenTelemetry(telemetry) if instrumented and any(telemetry) else None
    components = ComponentFactory(disabled, problems)
    providers = [
        _provider(components, node, path, problems)
        for path, node in problems.items(table.get("context"), ("context",))
    ]
    metadata = table.get("metadata")
    store = None
    if not isinstance(metadata, str | dict | None) or metadata:
        store = components.component("metadata store", metadata, ("metadata",))
    if store is not None and returns_coroutine(store.save_event_type):
        problems.add(("metadata",), "is `async def`: saving an event type awaits nothing")
    builder = TreeBuilder(tracker, owner, components, problems, limits=limits, telemetry=published)
    pipeline = Pipeline(
        builder.root(table),
        [provider for provider in providers if provider is not None],
        timeout,
        policies,
        store,
        instrumentation=None if published is None else published.metrics,
        owner=owner,
    )
    for path, guard in builder.guards:
        refused = guard.refused()  # it knows registered types now, if there is an owner
        if refused:
            problems.add(
                (*path, "accepts"),
                f"registered types would bring {', '.join(refused)} here: accept that, or put"
                " redact, drop_pii, pseudonymize or truncate_ip before, with these classes",
            )
    if problems:
        raise ConfigurationError(configuration.source, problems)
    return pipeline


def _provider(components: ComponentFactory, node: object, path: Keys, problems: Problems) -> Any:
    provider = components.component("context provider", node, path)
    if provider is not None and returns_coroutine(provider):
        problems.add(path, "is `async def`: emitting an event awaits nothing")
        return None
    return provider


def _unknown_at_root(key: object) -> str:
    if key in DELIVERY or key == "delivery":
        return "belongs to a backend" + ("" if key == "delivery" else ", in its table delivery")
    return unknown(key, ROOT_KEYS, "key")
