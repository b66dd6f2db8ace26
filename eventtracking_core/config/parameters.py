"""The options of a component: its constructor's keyword arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any, get_type_hints

from eventtracking_core.config.options import Annotation

__all__ = ["Parameter", "UnresolvableError", "parameters"]


class UnresolvableError(Exception):
    """A component's annotations name something that is not there at run time."""


class Parameter:
    """One option of a component."""

    def __init__(self, name: str, hint: object, default: object) -> None:
        self.name = name
        self.hint = hint
        self.required = default is inspect.Parameter.empty
        self.default = None if self.required else default

    @cached_property
    def annotation(self) -> Annotation:
        """The annotation, taken apart when a value is first converted."""
        return Annotation(self.hint)


def parameters(factory: Callable[..., Any]) -> tuple[Mapping[str, Parameter], bool]:
    """Return the options of a component, and whether it takes others besides.

    Raises:
        UnresolvableError: an annotation cannot be resolved; the message says which.
    """
    try:
        signature = inspect.signature(factory)
    except (TypeError, ValueError):
        return {}, True
    callee = factory.func if isinstance(factory, partial) else factory
    hinted = getattr(callee, "__init__", callee) if isinstance(callee, type) else callee
    try:
        hints = get_type_hints(hinted, include_extras=True)
    except Exception as error:
        text = f"its annotations cannot be resolved at run time: {type(error).__name__}: {error}"
        raise UnresolvableError(text) from error
    named = {
        parameter.name: Parameter(parameter.name, hints.get(parameter.name, Any), parameter.default)
        for parameter in signature.parameters.values()
        if parameter.kind in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}
    }
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    return named, inspect.Parameter.VAR_KEYWORD in kinds
