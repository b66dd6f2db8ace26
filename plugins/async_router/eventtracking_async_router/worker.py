"""An application for workers: `celery -A eventtracking_async_router.worker worker`.

Its configuration is the file `EVENTTRACKING_CONFIG_FILE`, or `[tool.eventtracking]` in
`pyproject.toml`. That names the broker and the queues, unless `CELERY_BROKER_URL` and `-Q` do.
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init
from kombu import Queue

from eventtracking_async_router.applications import small
from eventtracking_async_router.publisher import Publisher
from eventtracking_async_router.router import remote_nodes
from eventtracking_async_router.settings import BrokerSettings
from eventtracking_core import ConfigurationError, configure, get_tracker
from eventtracking_core.config import build, read

__all__ = ["app"]


def _nodes() -> list[BrokerSettings]:
    """Return the settings of every node in the configuration.

    Raises:
        SystemExit: the configuration is invalid.
    """
    try:
        root = build(read()).root
    except ConfigurationError as error:
        raise SystemExit(str(error)) from error
    backends = [leaf.backend for node in remote_nodes(root) for leaf in node.leaves()]
    return [backend.settings for backend in backends if isinstance(backend, Publisher)]


def _application() -> Celery:
    nodes = _nodes()
    named = os.environ.get("CELERY_BROKER_URL")
    served = [node for node in nodes if named or node.broker is not None]
    brokers = {node.broker for node in served}
    if not served:
        raise SystemExit(
            "the configuration has no async_router with a broker: add one, set CELERY_BROKER_URL,"
            " or start a worker of the application that `app` names"
        )
    if len(brokers) > 1 and not named:
        raise SystemExit(
            "the nodes of the configuration have several brokers: set CELERY_BROKER_URL to the"
            " broker of this worker"
        )
    timeout = min(node.visibility_timeout for node in served)
    app = small(None if named else brokers.pop(), served[0].queue, timeout)
    app.conf.task_queues = [Queue(name) for name in sorted({node.queue for node in served})]
    worker_init.connect(_begin, dispatch_uid="eventtracking-worker")
    return app


def _begin(**_signal: Any) -> None:
    if not get_tracker().backends:
        configure()


app = _application()
