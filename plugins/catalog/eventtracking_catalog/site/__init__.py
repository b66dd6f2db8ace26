"""The catalogue as a site: plain files that any browser opens, without a server or a network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from eventtracking_catalog.model import Catalogue
from eventtracking_catalog.site import views
from eventtracking_catalog.site.drawing import routing_picture
from eventtracking_catalog.sources.saved import FILE_NAME, saved

__all__ = ["LIVE_POLICY", "POLICY", "pages", "write"]

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
"""What a page may load: its own script and its own style, nothing else from anywhere."""

LIVE_POLICY: Final = f"{POLICY}; connect-src 'self'"
STATIC: Final = ("style.css", "catalog.js", "icon.svg")


def write(catalogue: Catalogue, directory: Path) -> int:
    """Write the site; return how many files it has.

    What is in the directory stays there, unless it has the name of one of the site's files.

    Raises:
        OSError: a file cannot be written.
    """
    number = 0
    for name, content in pages(catalogue):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        number += 1
    return number


def pages(catalogue: Catalogue, *, live: bool = False) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the content of each file of the site.

    Args:
        catalogue: what is shown.
        live: whether the pages ask a server for new counts.
    """
    slugs = views.slugs(catalogue.entries)
    environment = _environment()
    everywhere = {
        "catalogue": catalogue,
        "slugs": slugs,
        "live": live,
        "policy": LIVE_POLICY if live else POLICY,
        "made_at": datetime.now(UTC),
    }

    def page(template: str, root: str, **values: object) -> bytes:
        text = environment.get_template(template).render(everywhere, root=root, **values)
        return text.encode(errors="backslashreplace")  # lone surrogates

    yield "index.html", page("index.html", "", groups=views.groups(catalogue))
    yield "contexts.html", page("contexts.html", "")
    if catalogue.routing is not None:
        picture = routing_picture(catalogue.routing)
        yield "routing.html", page("routing.html", "", picture=picture)
    for name, entry in catalogue.entries.items():
        yield f"events/{slugs[name]}.html", page("event.html", "../", entry=entry)
    index = json.dumps(views.searchable(catalogue, slugs))
    yield "static/index.js", f"window.catalogIndex = {index};\n".encode()
    for name in STATIC:
        yield f"static/{name}", _static(name)
    yield FILE_NAME, (json.dumps(saved(catalogue), indent=1) + "\n").encode()


def _static(name: str) -> bytes:
    return (files(__package__) / "static" / name).read_bytes()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("eventtracking_catalog.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        activity=views.activity,
        contexts_of=views.contexts_of,
        seen_fields=views.seen_fields,
        ticks=views.ticks,
        tokens=views.tokens,
        versions=views.versions,
    )
    environment.filters["moment"] = views.moment
    environment.filters["quoted"] = json.dumps
    return environment
