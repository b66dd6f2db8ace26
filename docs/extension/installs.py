"""Hold the guides to what they install: a reader who follows one has each command and package."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

__all__ = ["check"]

_INSTALLED: Final = re.compile(r"pip install (.+)")
_DISTRIBUTION: Final = re.compile(r"eventtracking-[\w-]+")
_COMMANDS: Final = re.compile(r"^```(?:console|\{terminal\})\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PROGRAM: Final = re.compile(r"^(?:\$ )?eventtracking (\w+)", re.MULTILINE)
_IMPORTED: Final = re.compile(r"^(?:from|import) (eventtracking_\w+)", re.MULTILINE)
_CONFIGURED: Final = re.compile(r"""^type = "(\w+)"|"type": "(\w+)\"""", re.MULTILINE)
_CATALOG_COMMANDS: Final = {"catalog", "export", "learn", "validate"}
_WITH_THE_PROGRAM: Final = {"eventtracking-cli", "eventtracking-file", "eventtracking-sqlite"}
_BRINGS_THE_PROGRAM: Final = ("eventtracking-cli", "eventtracking-catalog", "-web[server]")
_BROUGHT_BY_ALL: Final = "eventtracking-core"
_logger = logging.getLogger(__name__)


def check(_app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of a guide that uses a package of ours which it does not install."""
    for page in sorted(env.found_docs):
        path = Path(env.doc2path(page))
        if path.parent.name == "how-to":
            for missing in sorted(_missing(path.read_text(encoding="utf-8"), path.parents[2])):
                _logger.warning("no line installs %s", missing, location=page)


def _missing(text: str, root: Path) -> set[str]:
    lines = " ".join(_INSTALLED.findall(text))
    if "-r requirements.txt" in lines:
        return set()
    installed = {_BROUGHT_BY_ALL, *_DISTRIBUTION.findall(lines)}
    if any(name in lines for name in _BRINGS_THE_PROGRAM):
        installed |= _WITH_THE_PROGRAM
    needed = {name.replace("_", "-") for name in _IMPORTED.findall(text)}
    for types in _CONFIGURED.findall(text):
        needed.add(f"eventtracking-{''.join(types).replace('_', '-')}")
    for command in _PROGRAM.findall("\n".join(_COMMANDS.findall(text))):
        needed.add(f"eventtracking-{'catalog' if command in _CATALOG_COMMANDS else 'cli'}")
    ours = {path.name.replace("_", "-") for path in (root / "plugins").iterdir()}
    return {name for name in needed - installed if name.removeprefix("eventtracking-") in ours}
