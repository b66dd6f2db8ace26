"""Send events to Segment, through its client."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["SegmentBackend"]


def _client() -> Any:
    """Return the client's module, under the name it has since version 2 or before; else None."""
    for name in ("analytics", "segment.analytics"):
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


analytics = _client()


class SegmentBackend:
    """Calls the client's `track`, which the application has set up.

    An event without `context.user_id`, or without a name, is skipped.
    """

    def send(self, event: dict[str, Any]) -> None:
        """Send an event."""
        context = event.get("context") or {}
        user_id, name = context.get("user_id"), event.get("name")
        if analytics is None or name is None or user_id is None:
            return
        analytics.track(user_id, name, event, context=_segment_context(context))


def _segment_context(context: dict[str, Any]) -> dict[str, Any]:
    """Return what Segment keeps beside the event."""
    segment_context: dict[str, Any] = {}
    if context.get("client_id") is not None:
        segment_context["Google Analytics"] = {"clientId": context["client_id"]}
    if context.get("ip") is not None:
        segment_context["ip"] = context["ip"]
    if context.get("agent") is not None:
        segment_context["userAgent"] = context["agent"]
    path, referer = context.get("path"), context.get("referer")
    url = context.get("page")
    if url is None and context.get("host") is not None and path is not None:
        url = f"https://{context['host']}{path}"
    page = {"path": path, "referrer": referer, "url": url}
    page = {key: value for key, value in page.items() if value is not None}
    if page:
        segment_context["page"] = page
    return segment_context
