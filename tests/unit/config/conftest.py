"""Components that show what they were configured with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import pytest

import eventtracking_core as et
from eventtracking_core.plugins import plugins


class Showing:
    """Keeps the options it was made with."""

    def __init__(
        self,
        *,
        text: str = "",
        number: int = 0,
        share: float = 0.0,
        on: bool = False,
        numbers: list[int] | None = None,
        table: dict[str, Any] | None = None,
        choice: Literal["a", "b"] = "a",
        size: et.ByteSize = 0,
        limit: et.ByteSize | None = None,
        delay: et.Seconds = 0.0,
        period: Literal["hour", "day"] | et.Seconds | None = None,
        delays: dict[str, et.Seconds] | None = None,
        sizes: list[et.ByteSize] | None = None,
        path: Path = Path(),
        pattern: re.Pattern[str] | None = None,
        anything: Any = None,
    ) -> None:
        self.options = dict(locals())
        del self.options["self"]

    def send(self, event: et.Event) -> None: ...


class Strict:
    """Requires an option, and checks both."""

    def __init__(self, host: str, port: int = 80) -> None:
        et.refuse_options(
            {
                "port must be positive": port < 0,
                "host and port must fit": port == 0,
                "host must not be empty": not host,
            }
        )

    def send(self, event: et.Event) -> None: ...


class Network:
    """Would rather be delivered to from a queue."""

    default_delivery = "queue"

    def send(self, event: et.Event) -> None: ...


class Composite:
    """Takes backends and processors of its own."""

    def __init__(self, backends: dict[str, Any], processors: list[Any], name: str = "") -> None:
        self.backends, self.processors, self.name = backends, processors, name

    def send(self, event: et.Event) -> None: ...


class OpenEnded:
    """Takes any option."""

    def __init__(self, **options: Any) -> None:
        self.options = options

    def send(self, event: et.Event) -> None: ...


class Store:
    """Keeps nothing, somewhere."""

    def __init__(self, path: Path) -> None: ...

    def save(self, record: et.EventType) -> None: ...


@pytest.fixture(autouse=True)
def types_of_these_tests():
    """Registers the types above, as a plugin would."""

    class Plugin:
        @et.hookimpl
        def eventtracking_backends(self):
            kinds = [Showing, Strict, Network, Composite, OpenEnded]
            return {f"testing.{kind.__name__.lower()}": kind for kind in kinds}

        @et.hookimpl
        def eventtracking_metadata_stores(self):
            return {"testing.store": Store}

    et.register_plugin(Plugin(), "testing")
    yield
    plugins.unregister("testing")


@pytest.fixture
def configured():
    """Returns a tracker that was configured; shuts it down."""
    made = []

    def tracker(config=None):
        made.append(et.Tracker())
        made[-1].configure(config)
        return made[-1]

    yield tracker
    for one in made:
        one.shutdown(1)


@pytest.fixture
def shown(configured):
    """Returns the options a backend was made with."""

    def options(**given):
        node = {"type": "testing.showing"} | given
        made = configured({"backends": {"a": node}}).get_backend("a").options
        return {name: made[name] for name in given}

    return options


@pytest.fixture
def problems():
    """Returns what is wrong with a configuration: paths and messages."""

    def found(config):
        with pytest.raises(et.ConfigurationError) as caught:
            et.Tracker().configure(config)
        return [(problem.path, problem.message) for problem in caught.value.problems]

    return found
