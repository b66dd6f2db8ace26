"""Event tracking in web applications: middleware, requests, propagation, and browsers."""

from __future__ import annotations

from eventtracking_core.contexts.request import Request, current_request
from eventtracking_web.asgi import ASGIMiddleware
from eventtracking_web.client import CLIENT
from eventtracking_web.collecting import Collector, collector
from eventtracking_web.functions import flushed
from eventtracking_web.page import page_contexts
from eventtracking_web.propagation import Propagation, inject_request
from eventtracking_web.wsgi import WSGIMiddleware

__all__ = [
    "CLIENT",
    "ASGIMiddleware",
    "Collector",
    "Propagation",
    "Request",
    "WSGIMiddleware",
    "collector",
    "current_request",
    "flushed",
    "inject_request",
    "page_contexts",
]
