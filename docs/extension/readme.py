"""Hold the README to what the pages run: each of its programs and files stands in one of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

__all__ = ["check"]

_BLOCK: Final = re.compile(r"^```(?:python|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_logger = logging.getLogger(__name__)


def check(_app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of a block of Python or TOML in the README that no page shows and runs."""
    readme = Path(env.srcdir, "..", "README.md").resolve()
    pages = "\n".join(
        Path(env.doc2path(page)).read_text(encoding="utf-8") for page in sorted(env.found_docs)
    )
    for match in _BLOCK.finditer(readme.read_text(encoding="utf-8")):
        if match[1] not in pages:
            first = match[1].partition("\n")[0]
            _logger.warning("README.md: no page runs the block that begins with %r", first)
