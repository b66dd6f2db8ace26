"""Write the names of the plugins, which are directories, into every list that needs them.

Run without arguments from the root of the repository. Lines that are in a list already stay as they
are, except those of plugins that are gone.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

CORE = "core"
APART = frozenset({"compat", "speedups"})
"""One has the package of another distribution, the other needs a C compiler."""

PROJECT = "pyproject.toml"
PACKAGE = '    "eventtracking_{name}",'


class NameList(NamedTuple):
    """Where a list is, and how a plugin stands in it.

    Attributes:
        file: the file.
        first: the line before the list, or before its other lines.
        last: the first line behind it.
        line: the line of a plugin.
    """

    file: str
    first: str
    last: str
    line: str


SOURCES = NameList(
    PROJECT, "[tool.uv.sources]", "", "eventtracking-{dashed} = {{ workspace = true }}"
)
TYPES = NameList(
    "eventtracking_core/known_types.py",
    "PUBLISHED: Final = frozenset(",
    "    }",
    '        "{name}",',
)
PACKAGES = (
    NameList(PROJECT, "plugins = [", "]", '    "eventtracking-{dashed}",'),
    NameList(PROJECT, "root_packages = [", "]", PACKAGE),
    NameList(PROJECT, "ancestors = [", "]", PACKAGE),
    NameList(PROJECT, 'name = "The core imports no plugin"', "]", PACKAGE),
    NameList(PROJECT, 'name = "Plugins import the core, never each other"', "]", PACKAGE),
)


def main() -> None:
    """Write all lists."""
    projects = {path.parent.name: path for path in Path("plugins").glob("*/pyproject.toml")}
    write(SOURCES, set(projects))
    for names in PACKAGES:
        write(names, set(projects) - APART)
    write(TYPES, {name for name, path in projects.items() if has_types(name, path)})


def has_types(name: str, path: Path) -> bool:
    """Return whether a plugin registers types of components under its name."""
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    return name in project.get("entry-points", {}).get("eventtracking", {})


def write(names: NameList, plugins: set[str]) -> None:
    """Add the plugins to a list that it lacks, each before the next one in order."""
    path = Path(names.file)
    lines = path.read_text(encoding="utf-8").splitlines()
    start = lines.index(names.first) + 1
    end = lines.index(names.last, start)
    block = [line for line in lines[start:end] if plugin(names, line) in {None, CORE, *plugins}]
    for name in sorted(plugins - {plugin(names, line) for line in block}):
        later = (n for n, line in enumerate(block) if (plugin(names, line) or "") > name)
        line = names.line.format(name=name, dashed=name.replace("_", "-"))
        block.insert(next(later, len(block)), line)
    path.write_text("\n".join([*lines[:start], *block, *lines[end:]]) + "\n", encoding="utf-8")


def plugin(names: NameList, line: str) -> str | None:
    """Return the name of the plugin of a line; None for another line."""
    match = re.match(re.escape(names.line.partition("{")[0]) + r"([\w-]+)", line)
    return match[1].replace("-", "_") if match else None


if __name__ == "__main__":
    main()
