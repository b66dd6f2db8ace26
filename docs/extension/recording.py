"""Recorded output of commands: read from a page, compared with the real output, written back.

A block whose commands begin with `$ ` holds their output as well, so that the page can be read on a
code host. Times, ids, rates and charts differ in each run and are not compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import ndiff
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["RECORD", "Command", "commands", "differences", "rewrite"]

RECORD: Final = "EVENTTRACKING_DOCS_RECORD"
"""The environment variable that makes the build write the real output into the pages."""

PROMPT: Final = "$ "

_MASKS: Final = tuple(
    (re.compile(pattern, re.MULTILINE), mask)
    for pattern, mask in (
        (r"^[ \d,]*[▁-█][ ▁-█]*$(\n[ \d,]*[ ▁-█]*$)*", "(chart)"),
        (r"[▁-█]([ ▁-█]*[▁-█])?", "(bar)"),  # with gaps, where nothing happened
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b", "(id)"),
        (r"\b[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}\b", "(id)"),
        (r"\b[0-9a-f]{16,64}\b", "(id)"),
        (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?", "(time)"),
        (r"\b(\d\d-\d\d )?\d\d:\d\d(:\d\d)?\b", "(time)"),
        (r"[\d,]+ a second", "(rate)"),
        (r"\(installed: [^)]*\)", "(installed)"),  # each new plugin makes it longer
        (r"\b[\d.]+ (ms|s|min|h)\b", "(duration)"),
        (r"[ ─━═]+", " "),  # columns are as wide as what stands in them
        (r" $", ""),
    )
)


class Command(NamedTuple):
    """A command, and its output as the page has it; None if it has none."""

    line: str
    output: list[str] | None


def commands(content: Iterable[str]) -> list[Command]:
    """Return the commands of a block: its lines, or those after a prompt, with the output."""
    lines = list(content)
    if not any(line.startswith(PROMPT) for line in lines):
        return [Command(line, None) for line in lines]
    found: list[Command] = []
    for line in lines:
        if line.startswith(PROMPT):
            found.append(Command(line.removeprefix(PROMPT), []))
        elif found and found[-1].output is not None:
            found[-1].output.append(line)
    return found


def differences(recorded: str, real: str, also: str | None = None) -> str:
    """Return the lines in which two outputs differ beyond what differs in each run.

    Args:
        recorded: the output on the page.
        real: the output of this run.
        also: a regular expression of what else differs in each run.
    """
    before, after = (_masked(text, also).splitlines() for text in (recorded, real))
    if before == after:
        return ""
    return "\n".join(line for line in ndiff(before, after) if not line.startswith("  "))


def rewrite(page: Path, old: str, new: str) -> None:
    """Replace the first block of a page that reads as `old`."""
    page.write_text(page.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")


def _masked(text: str, also: str | None) -> str:
    if also:
        text = re.sub(also, "(masked)", text)
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text.strip()
