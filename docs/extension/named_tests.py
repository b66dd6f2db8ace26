"""Hold the pages to the tests: each test that one names is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

__all__ = ["check"]

_NAMED: Final = re.compile(r"`([\w/]+/test_\w+\.py)::(test_\w+)`")
_logger = logging.getLogger(__name__)


def check(_app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of a test `path::name` that a page names and that is not there."""
    root = Path(env.srcdir).parent
    for page in sorted(env.found_docs):
        text = Path(env.doc2path(page)).read_text(encoding="utf-8")
        for path, name in _NAMED.findall(text):
            module = root / path
            if not module.is_file() or f"def {name}(" not in module.read_text(encoding="utf-8"):
                _logger.warning("there is no test %s::%s", path, name, location=page)
