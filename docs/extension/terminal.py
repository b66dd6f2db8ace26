"""Files and commands of a page: the build writes the files, runs the commands, shows the output.

Each page has a directory of its own. `pip install` there installs into it, without a network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, ClassVar, Final

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from extension.recording import RECORD, Command, commands, differences, rewrite

if TYPE_CHECKING:
    from collections.abc import Callable

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

__all__ = ["File", "Terminal", "forget"]

TIMEOUT: Final = 300
"""Seconds a command may take."""

_logger = logging.getLogger(__name__)
# Made before Sphinx forks: the processes that read pages remove nothing when they end.
_directories: Final = TemporaryDirectory(prefix="docs-")


def forget(_app: Sphinx, _env: BuildEnvironment, page: str) -> None:
    """Let a page that is read again begin with an empty directory."""
    shutil.rmtree(_directory(page))


def _directory(page: str) -> Path:
    directory = Path(_directories.name) / page.replace("/", "-")
    directory.mkdir(exist_ok=True)
    return directory


class File(SphinxDirective):
    """Shows a file, and writes it to the page's directory.

    What is in it stands on the page, or, with `from`, in another file of the documentation.
    """

    has_content = True
    required_arguments = 1
    option_spec: ClassVar[dict[str, Callable[[str], object]]] = {
        "from": directives.path,
        "hidden": directives.flag,
    }

    def run(self) -> list[nodes.Node]:
        """Write the file; return the block that shows it."""
        name = self.arguments[0]
        text = "\n".join(self.content) + "\n"
        if "from" in self.options:
            source, absolute = self.env.relfn2path(self.options["from"])
            self.env.note_dependency(source)
            text = Path(absolute).read_text(encoding="utf-8")
        path = _directory(self.env.docname) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if "hidden" in self.options:
            return []
        block = nodes.literal_block(text, text, language=_language(path))
        container = nodes.container("", literal_block=True, classes=["literal-block-wrapper"])
        container += nodes.caption(name, "", nodes.literal(name, name))
        container += block
        return [container]


class Terminal(SphinxDirective):
    """Runs commands, a line each, and shows them with their output.

    If commands begin with `$ `, the lines below each are its recorded output. The build compares it
    with the real one, except for what differs in each run (`mask` names more of that).
    """

    has_content = True
    option_spec: ClassVar[dict[str, Callable[[str], object]]] = {
        "exit": directives.nonnegative_int,
        "hidden": directives.flag,
        "mask": directives.unchanged_required,
    }

    def run(self) -> list[nodes.Node]:
        """Run the commands; return the block that shows them."""
        directory = _directory(self.env.docname)
        block = commands(self.content)
        shown = []
        for command in block:
            status, output = _run(command.line, directory)
            if status != self.options.get("exit", 0):
                message = "%r ended with status %d:\n%s"
                _logger.warning(message, command.line, status, output, location=self.get_location())
            self._compare(command, output)
            shown.append(f"$ {command.line}\n{output}".rstrip())
        text = "\n".join(shown) + "\n"
        if os.environ.get(RECORD) and any(command.output is not None for command in block):
            page = Path(self.env.doc2path(self.env.docname))
            rewrite(page, "\n".join(self.content) + "\n```", _without_trailing_blanks(text) + "```")
        if "hidden" in self.options:
            return []
        # Output may hold anything; what no lexer knows is shown as it is.
        return [nodes.literal_block(text, text, language="console", force=True)]

    def _compare(self, command: Command, output: str) -> None:
        if command.output is None or os.environ.get(RECORD):
            return
        found = differences("\n".join(command.output), output, self.options.get("mask"))
        if found:
            message = "%r has another output than this page (set %s=1 to record it):\n%s"
            _logger.warning(message, command.line, RECORD, found, location=self.get_location())


def _without_trailing_blanks(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def _run(command: str, directory: Path) -> tuple[int, str]:
    result = subprocess.run(  # noqa: S602  the commands of these pages
        command,
        shell=True,
        cwd=directory,
        env=_environment(directory),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )
    status = result.returncode if result.returncode >= 0 else 128 - result.returncode
    return status, result.stdout.replace(str(directory), "~")


def _environment(directory: Path) -> dict[str, str]:
    installed = str(directory / ".installed")
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(directory),
        "LANG": "C.UTF-8",
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "PYTHONPATH": installed,
        "PIP_TARGET": installed,
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it as the value of --build-isolation
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
    }


def _language(path: Path) -> str:
    return {".py": "python", ".toml": "toml", ".yaml": "yaml", ".json": "json"}.get(
        path.suffix, "text"
    )
