"""What these pages need of Sphinx: commands that are run, references made from the code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from docutils import nodes

import eventtracking_core
from extension.commands import Commands
from extension.components import Components, Options
from extension.installs import check as check_installs
from extension.named_tests import check as check_tests
from extension.pictures import draw
from extension.readme import check as check_readme
from extension.terminal import File, Terminal, forget

if TYPE_CHECKING:
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

__all__ = ["setup"]

LONG: Final = 60
"""Characters from which inline code may break anywhere, see page.css."""


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("file", File)
    app.add_directive("terminal", Terminal)
    app.add_directive("components", Components)
    app.add_directive("options", Options)
    app.add_directive("commands", Commands)
    app.connect("builder-inited", draw)
    app.connect("doctree-read", _mark_long_code)
    app.connect("env-purge-doc", forget)
    app.connect("env-updated", check_installs)
    app.connect("env-updated", check_readme)
    app.connect("env-updated", check_tests)
    app.connect("missing-reference", _public_name)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _mark_long_code(_app: Sphinx, page: nodes.document) -> None:
    for code in page.findall(nodes.literal):
        if len(code.astext()) > LONG:
            code["classes"].append("long")


def _public_name(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.TextElement
) -> nodes.reference | None:
    """Resolve `eventtracking_core.events.Event` to where it is documented, `eventtracking_core`."""
    name = str(node.get("reftarget", "")).rpartition(".")[2]
    if node.get("refdomain") != "py" or name not in {"Context", *eventtracking_core.__all__}:
        return None
    python = env.get_domain("py")
    home = "eventtracking_core.contexts" if name == "Context" else "eventtracking_core"
    target = f"{home}.{name}"
    return python.resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, contnode)
