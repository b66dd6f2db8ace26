"""The configuration reference: each component with its options, from its annotations."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from eventtracking_core.config.options import describe_hint
from eventtracking_core.config.parameters import Parameter, parameters
from eventtracking_core.plugins import installed, plugins

if TYPE_CHECKING:
    from docutils import nodes

    from eventtracking_core.plugins import ComponentKind

__all__ = ["Components", "Options"]

_SECTION: Final = re.compile(
    r"^(Args|Raises|Returns|Yields|Attributes|Example|Examples):$", re.MULTILINE
)
_OPTION: Final = re.compile(r"^ {4}(\w+)(?: \([^)]*\))?: ", re.MULTILINE)
_UNITS: Final = {"GiB": 2**30, "MiB": 2**20, "KiB": 2**10}
_logger = logging.getLogger(__name__)


class Components(SphinxDirective):
    """Lists every installed component of a kind, with its options."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return a section for each component."""
        kind = cast("ComponentKind", self.arguments[0])
        components, failed = plugins.available()
        for name, error in failed.items():
            _logger.warning("plugin %s: %s", name, error, location=self.get_location())
        text = "\n\n".join(
            self._component(kind, name, factory)
            for name, factory in sorted(components[kind].items())
        )
        return self.parse_text_to_nodes(text, allow_section_headings=True)

    def _component(self, kind: ComponentKind, name: str, factory: Callable[..., Any]) -> str:
        options = _options(factory, self.get_location())
        anchor = f"({kind.replace(' ', '-')}-{name})="
        parts = [anchor, f"### `{name}`", _origin(name), _documentation(factory)[0]]
        return "\n\n".join([*filter(None, parts), *(options or ["No options."])])


class Options(SphinxDirective):
    """Lists the options that a class takes."""

    required_arguments = 1  # package.module:attribute

    def run(self) -> list[nodes.Node]:
        """Return a list of definitions."""
        module, _, attribute = self.arguments[0].partition(":")
        factory = getattr(import_module(module), attribute)
        return self.parse_text_to_nodes("\n\n".join(_options(factory, self.get_location())))


def _options(factory: Callable[..., Any], location: str) -> list[str]:
    described = _documentation(factory)[1]
    texts = []
    for option in parameters(factory)[0].values():
        if option.name not in described:
            message = "option %s of %s is not described in its docstring"
            _logger.warning(message, option.name, factory.__name__, location=location)
        value = "required" if option.required else f"default `{_default(option)}`"
        description = described.get(option.name, "")
        texts.append(f"`{option.name}` *{describe_hint(option.hint)}*, {value}\n: {description}")
    return texts


def _documentation(factory: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """Return a docstring without its sections, and what its `Args` say of each option."""
    doc = inspect.getdoc(factory) or ""
    parts = _SECTION.split(doc)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    fields = _OPTION.split(sections.get("Args", ""))
    texts = [re.sub(r"\s+", " ", text).strip() for text in fields[2::2]]
    return parts[0].strip(), dict(zip(fields[1::2], texts, strict=True))


def _origin(name: str) -> str:
    plugin = name.partition(".")[0]
    found = [entry_point.dist for entry_point in installed() if entry_point.name == plugin]
    return f"From `{found[0].name}`." if found and found[0] else ""


def _default(option: Parameter) -> str:
    value = option.default
    if isinstance(value, int) and describe_hint(option.hint).startswith("size"):
        unit = next((unit for unit in _UNITS if value % _UNITS[unit] == 0), "B")
        return f'"{value // _UNITS.get(unit, 1)} {unit}"'
    return json.dumps(value, default=str)
