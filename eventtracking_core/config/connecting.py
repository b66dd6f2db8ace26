"""Ask the backends of a tree whether their sinks can be reached."""

from __future__ import annotations

from threading import Thread
from time import monotonic
from typing import Any, Final, NamedTuple

from eventtracking_core.components import Probeable
from eventtracking_core.deadlines import seconds_until
from eventtracking_core.diagnostics import describe
from eventtracking_core.routing import Leaf, RoutingBackend, walk_tree

__all__ = ["Probe", "connect"]


class Probe(NamedTuple):
    """The result for one backend.

    Attributes:
        path: the backend's path in the tree.
        type: its type.
        ok: whether the sink can be reached; None if the backend cannot tell.
        message: what was found, without an option's value.
    """

    path: str
    type: str
    ok: bool | None
    message: str


OWN_SHARE: Final = 0.9
"""Of the time, what a backend gets: so it can say itself why there was no answer."""


def connect(root: RoutingBackend, timeout: float) -> list[Probe]:
    """Reach the sink of each backend that has `probe`, all at the same time.

    Backends that run elsewhere, below an async router, are not asked.

    Args:
        root: the tree.
        timeout: seconds, for all of them together.
    """
    leaves = [(".".join(names), leaf) for names, leaf in walk_tree(root) if isinstance(leaf, Leaf)]
    results = [
        Probe(path, leaf.type_name, None, "has nothing to connect to") for path, leaf in leaves
    ]
    threads = []
    for number, (path, leaf) in enumerate(leaves):
        if isinstance(leaf.registered, Probeable):
            late = f"no answer within {timeout:g} seconds"
            results[number] = results[number]._replace(ok=False, message=late)
            thread = Thread(
                target=_probe,
                args=(leaf.backend, OWN_SHARE * timeout, results, number),
                name=f"eventtracking-probe-{path}",
                daemon=True,
            )
            threads.append(thread)
            thread.start()
    deadline = monotonic() + timeout
    for thread in threads:
        thread.join(seconds_until(deadline))
    return results.copy()


def _probe(backend: Any, timeout: float, results: list[Probe], number: int) -> None:
    try:
        ok, message = True, backend.probe(timeout)
    except Exception as error:  # noqa: BLE001  whatever a backend raises is its result
        ok, message = False, describe(error)
    results[number] = results[number]._replace(ok=ok, message=message)
