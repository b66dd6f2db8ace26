"""Names of classes, for the names of events."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from typing import Final

__all__ = ["class_names", "pascal"]

_ID: Final = re.compile(r"[0-9a-f]{16,}")
_WORD: Final = re.compile(r"[A-Za-z]+|\d+")
_UPPER: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
MAX_PARTS: Final = 6
"""Words of a class's name; of a longer one, the last ones."""


def pascal(name: str) -> str:
    """Return a name as that of a class: `edx.problem.checked` is `EdxProblemChecked`."""
    words = [
        word for part in _WORD.findall(_ID.sub(" ", name)) for word in _UPPER.sub(" ", part).split()
    ]
    text = "".join(word[:1].upper() + word[1:] for word in words[-MAX_PARTS:])
    if not text:
        return "Event"
    return f"Event{text}" if text[0].isdigit() or keyword.iskeyword(text) else text


def class_names(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Return a name of a class for each name, none twice, and none that is taken."""
    used = set(taken)
    classes = {}
    for name in names:
        text = plain = pascal(name)
        number = 2
        while text in used:
            text = f"{plain}{number}"
            number += 1
        used.add(text)
        classes[name] = text
    return classes
