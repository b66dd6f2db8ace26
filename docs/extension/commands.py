"""The reference of the command line, from the commands themselves."""

from __future__ import annotations

import re
from importlib import import_module
from inspect import cleandoc
from typing import TYPE_CHECKING

import click
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docutils import nodes

__all__ = ["Commands"]


class Commands(SphinxDirective):
    """Lists a click command and all its subcommands: usage, help, arguments and options."""

    required_arguments = 2  # the words it is called by, and where it is: package.module:attribute
    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a section for each command."""
        *words, path = self.arguments
        name = " ".join(words)
        module, _, attribute = path.partition(":")
        command = getattr(import_module(module), attribute)
        context = command.make_context(name, ["--"], resilient_parsing=True)
        text = "\n\n".join(_described(command, context, 2))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def _described(command: click.Command, context: click.Context, level: int) -> Iterator[str]:
    yield f"{'#' * level} `{context.command_path}`"
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"```text\n{usage}\n```"
    yield _paragraphs(cleandoc(command.help or ""))
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[1]:
            yield f"`{record[0]}`\n: {_escaped(record[1])}"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                inner = click.Context(child, info_name=name, parent=context)
                yield from _described(child, inner, level + 1)


def _paragraphs(text: str) -> str:
    """Return a help text in Markdown; paragraphs that click does not rewrap become blocks."""
    paragraphs = []
    for paragraph in text.split("\n\n"):
        if paragraph.startswith("\b"):
            paragraphs.append("```text\n" + paragraph.removeprefix("\b\n") + "\n```")
        else:
            paragraphs.append(_escaped(paragraph))
    return "\n\n".join(paragraphs)


def _escaped(text: str) -> str:
    """Return a text in Markdown; what stands between backquotes stays code."""
    parts = re.split(r"(`[^`]+`)", text)
    parts[::2] = [re.sub(r"([*_<\[`])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)
