"""Hold the pages to the tests: each test that one names is there.

A method of a class may be one that a conformance suite has.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

__all__ = ["check"]

_NAMED: Final = re.compile(r"`([\w/]+/test_\w+\.py)::(Test\w+::)?(test_\w+)`")
_SUITES: Final = "eventtracking_core/testing"
_logger = logging.getLogger(__name__)


def check(_app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of a test `path::name` that a page names and that is not there."""
    root = Path(env.srcdir).parent
    suites = "".join(path.read_text(encoding="utf-8") for path in (root / _SUITES).glob("_*.py"))
    for page in sorted(env.found_docs):
        text = Path(env.doc2path(page)).read_text(encoding="utf-8")
        for path, suite, name in _NAMED.findall(text):
            module = root / path
            tests = module.read_text(encoding="utf-8") if module.is_file() else ""
            if f"def {name}(" not in tests + (suites if suite else ""):
                _logger.warning("there is no test %s::%s", path, name, location=page)
