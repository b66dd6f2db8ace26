"""How far an interrupted replay is, in a file."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import click

from eventtracking_cli import parameters
from eventtracking_core.reading import Filters

__all__ = ["ReplayProgress", "StateFile"]


class ReplayProgress(NamedTuple):
    """How far a replay is.

    Attributes:
        events: how many were delivered.
        last: the id of the last one.
        since: the filter's time, as the first run understood it, in ISO 8601.
        until: as `since`.
    """

    events: int = 0
    last: str = ""
    since: str | None = None
    until: str | None = None

    def filters(self, others: Filters) -> Filters:
        """Return the filters of the first run: `2h` ago was another time then."""
        since, until = (
            None if text is None else datetime.fromisoformat(text)
            for text in (self.since, self.until)
        )
        return {**others, "since": since, "until": until}


class StateFile(NamedTuple):
    """The file that remembers how far a replay is, and a digest of the replay's options."""

    path: Path
    options: str

    @classmethod
    def of(
        cls,
        state: Path | None,
        sources: Sequence[str],
        config: Path | None,
        to: str | None,
        filters: Filters,
    ) -> StateFile:
        """Return the state file of a replay with these options; each replay has its own."""
        chosen = sorted((name, parameters.as_written(value)) for name, value in filters.items())
        options = sha256(repr((sources, str(config), to, chosen)).encode()).hexdigest()[:12]
        return cls(state or Path(f"eventtracking-replay-{options}.json"), options)

    def load(self, filters: Filters) -> ReplayProgress:
        """Return what was saved; the beginning, with these filters, if nothing was.

        Raises:
            ClickException: the file is another one's.
        """
        try:
            saved = json.loads(self.path.read_bytes())
            progress = ReplayProgress(**{name: saved.get(name) for name in ReplayProgress._fields})
            progress = progress._replace(events=int(progress.events), last=str(progress.last))
            is_ours = saved.get("options", self.options) == self.options
        except FileNotFoundError:
            times = (filters.get("since"), filters.get("until"))
            since, until = (None if time is None else time.isoformat() for time in times)
            return ReplayProgress(since=since, until=until)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            message = f"{self.path} is not the state of a replay; name another file with --state"
            raise click.ClickException(message) from error
        if not is_ours:
            raise click.ClickException(
                f"{self.path} belongs to a replay with other options; name another file with"
                " --state, or start from the beginning with --restart"
            )
        return progress

    def save(self, progress: ReplayProgress) -> None:
        """Save, so that a power failure leaves the old file or the new one."""
        new = self.path.with_name(f"{self.path.name}.new")
        with closing(new.open("w")) as file:
            json.dump({**progress._asdict(), "options": self.options}, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)

    def forget(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)
