"""Where a type is registered: file, line and function of the frames that led there, no values."""

from __future__ import annotations

import os
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["STACK_TRACES", "stack_trace"]

STACK_TRACES: Final = "EVENTTRACKING_STACK_TRACES"
"""The variable that switches them off: `0`, `false`, `no` or `off`."""

MAX_FRAMES: Final = 8
_OURS: Final = os.path.dirname(os.path.dirname(__file__)) + os.sep  # noqa: PTH120  as co_filename
_OFF: Final = frozenset({"0", "false", "no", "off"})


def stack_trace() -> tuple[str, ...]:
    """Return the innermost frames outside of the framework, as `path:line in function`.

    Paths are relative to where Python found the file, so that no directory of the machine shows.
    """
    if os.environ.get(STACK_TRACES, "").strip().lower() in _OFF:
        return ()
    frames: list[str] = []
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  no other way without reading source
    while frame is not None and len(frames) < MAX_FRAMES:
        code = frame.f_code
        if not code.co_filename.startswith((_OURS, "<frozen ")):
            frames.append(f"{_relative(code.co_filename)}:{frame.f_lineno} in {code.co_name}")
        frame = frame.f_back
    return tuple(reversed(frames))


def _relative(path: str) -> str:
    if path.startswith("<"):
        return path
    roots = [root for root in (os.getcwd(), *sys.path) if root]  # noqa: PTH109  text, not a Path
    inside = [root for root in roots if path.startswith(root.rstrip(os.sep) + os.sep)]
    if not inside:
        return PurePath(path).name if os.path.isabs(path) else path  # noqa: PTH117
    return path[len(max(inside, key=len).rstrip(os.sep)) + 1 :]
