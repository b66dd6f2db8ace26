"""Who, where and in which trace: contexts, where they are found, and how they travel."""

from eventtracking_core.contexts.locators import (
    ContextVarLocator,
    DefaultContextLocator,
    ThreadLocalContextLocator,
)
from eventtracking_core.contexts.propagation import CARRIED_KEYS, carry, extract, inject
from eventtracking_core.contexts.stack import (
    Context,
    ContextLocator,
    ContextProvider,
    EnteredContext,
    Frame,
)

__all__ = [
    "CARRIED_KEYS",
    "Context",
    "ContextLocator",
    "ContextProvider",
    "ContextVarLocator",
    "DefaultContextLocator",
    "EnteredContext",
    "Frame",
    "ThreadLocalContextLocator",
    "carry",
    "extract",
    "inject",
]
