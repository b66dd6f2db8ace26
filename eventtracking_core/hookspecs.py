"""The hooks a plugin implements: for registration only, called when a configuration names it."""

# mypy: disable-error-code="empty-body"
# A hook says what to return; plugins return it.

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pluggy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from eventtracking_core.components import Backend, BatchBackend, Processor
    from eventtracking_core.contexts import ContextProvider
    from eventtracking_core.registry import MetadataStore

__all__ = [
    "eventtracking_backends",
    "eventtracking_context_providers",
    "eventtracking_metadata_stores",
    "eventtracking_processors",
    "hookimpl",
]

PROJECT: Final = "eventtracking"

hookspec: Final = pluggy.HookspecMarker(PROJECT)
hookimpl: Final = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin as the implementation of the hook of its name."""


@hookspec
def eventtracking_context_providers() -> Mapping[str, Callable[..., ContextProvider]]:
    """Return the plugin's context providers, factories by type name."""


@hookspec
def eventtracking_processors() -> Mapping[str, Callable[..., Processor]]:
    """Return the plugin's processors, factories by type name."""


@hookspec
def eventtracking_backends() -> Mapping[str, Callable[..., Backend | BatchBackend]]:
    """Return the plugin's backends, factories by type name."""


@hookspec
def eventtracking_metadata_stores() -> Mapping[str, Callable[..., MetadataStore]]:
    """Return the plugin's stores of event types' records, factories by type name."""
