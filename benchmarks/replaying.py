"""`eventtracking replay` from SQLite to a sink: the whole program, which emits nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from benchmarks.ours import entered
from benchmarks.sender import Sender
from eventtracking_core import Tracker

__all__ = ["REPLAY", "replayer"]

EVENTS: Final = 100_000
"""So many that the start of the program matters little."""

REPLAY: Final = "ours: {}, replay from SQLite"
"""What the tables call it, given the sink's type."""

_PROGRAM: Final = str(Path(sys.executable).with_name("eventtracking"))


def replayer(
    kind: str, options: Mapping[str, str | bool], directory: Path, delivered: Callable[[], int]
) -> Sender:
    """Return what replays events that were emitted before.

    Args:
        kind: the sink's type.
        options: of the sink.
        directory: where the source and the configuration are written.
        delivered: returns how many events arrived, and empties the sink.
    """
    tracker = Tracker()
    source = {"type": "sqlite", "path": str(directory / "source.db"), "delivery": "queue"}
    tracker.configure({"backends": {"source": source}})
    emit = entered(tracker)
    for number in range(1, EVENTS + 1):
        emit()
        if number % 1000 == 0:
            assert tracker.flush(120), "the source was not written"
    assert tracker.shutdown(120)
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in options.items()]
    config = directory / "replay.toml"
    config.write_text("".join(["[backends.sink]\n", f'type = "{kind}"\n', *lines]))
    command = [_PROGRAM, "replay", "--from", "source.db", "--config", str(config), "--to", "sink"]

    def replay() -> None:
        subprocess.run(command, cwd=directory, check=True, capture_output=True)

    return Sender(
        REPLAY.format(kind),
        "eventtracking replay --from source.db --to sink",
        replay,
        1,
        delivered,
        events=EVENTS,
    )
