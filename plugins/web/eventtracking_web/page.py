"""Contexts that a server hands to the tracker of a page, in an element of its HTML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any, Final

from eventtracking_core.encoding import normalize
from eventtracking_core.providers.trace import Trace

__all__ = ["Html", "page_contexts"]

_ESCAPES: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


class Html(str):
    """HTML that templates of Jinja and Django do not escape again."""

    __slots__ = ()

    def __html__(self) -> str:
        """Return the text itself."""
        return str(self)


def page_contexts(
    contexts: Mapping[str, Mapping[str, Any]],
    *,
    nonce: str = "",
    element_id: str = "eventtracking-contexts",
) -> Html:
    """Return contexts as an element that the page's tracker reads: its option `contexts`.

    The element is `<script type="application/json">`, which no browser runs. Whatever the values
    are, nothing of them gets out of it. Inside a span of OpenTelemetry, a context `trace` with the
    field `trace_id` is added.

    Everybody who sees the page can read the values, and change them: the endpoint takes the user
    from the session, never from here.

    Args:
        contexts: the fields of each context, by its name.
        nonce: of the Content Security Policy, if it has one.
        element_id: by which the page finds the element.
    """
    span = Trace()()
    trace = {"trace": {"trace_id": span["trace_id"]}} if span else {}
    # ASCII alone, so that no encoding of the page and no separator of lines (U+2028) matters.
    text = json.dumps(normalize({**trace, **contexts}), default=str).translate(_ESCAPES)
    attributes = f'type="application/json" id="{escape(element_id)}"'
    if nonce:
        attributes += f' nonce="{escape(nonce)}"'
    return Html(f"<script {attributes}>{text}</script>")
