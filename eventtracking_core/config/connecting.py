"""Ask the backends of a tree whether their sinks can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from time import monotonic
from typing import Any, NamedTuple

from eventtracking_core.components import Probeable
from eventtracking_core.deadlines import seconds_until
from eventtracking_core.diagnostics import describe
from eventtracking_core.routing import Leaf, RoutingBackend

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


def connect(root: RoutingBackend, timeout: float) -> list[Probe]:
    """Reach the sink of each backend that has `probe`, all at the same time.

    Backends that run elsewhere, below an async router, are not asked.

    Args:
        root: the tree.
        timeout: seconds, for all of them together.
    """
    probes = [_Probing(path, leaf, timeout) for path, leaf in _leaves(root, ())]
    for probe in probes:
        probe.start()
    deadline = monotonic() + timeout
    for probe in probes:
        probe.join(seconds_until(deadline))
    return [probe.result for probe in probes]


class _Probing(Thread):
    def __init__(self, path: str, leaf: Leaf, timeout: float) -> None:
        super().__init__(name=f"eventtracking-probe-{path}", daemon=True)
        self._is_probeable = isinstance(leaf.registered, Probeable)
        self._backend: Any = leaf.backend
        self._timeout = timeout
        self._no_answer = Probe(
            path, leaf.type_name, ok=False, message=f"no answer within {timeout:g} seconds"
        )
        self.result = self._no_answer

    def run(self) -> None:
        if not self._is_probeable:
            self.result = self._no_answer._replace(ok=None, message="has nothing to connect to")
            return
        try:
            found = self._backend.probe(self._timeout)
        except Exception as error:  # noqa: BLE001  whatever a backend raises is its result
            self.result = self._no_answer._replace(message=describe(error))
        else:
            self.result = self._no_answer._replace(ok=True, message=found)


def _leaves(router: RoutingBackend, names: tuple[str, ...]) -> Iterator[tuple[str, Leaf]]:
    for name, child in router.children.items():
        if isinstance(child, RoutingBackend):
            yield from _leaves(child, (*names, name))
        else:
            yield ".".join((*names, name)), child
