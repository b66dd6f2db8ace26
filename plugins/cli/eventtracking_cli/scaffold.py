"""The files of a new plugin, made from the templates that come with this package."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["KINDS", "Plan"]

_FIELD: Final = re.compile("«([A-Za-z]+)»")
_SUFFIX: Final = ".in"


class _Kind(NamedTuple):
    """What a README says of a kind of component."""

    kind: str
    flag: str
    configuration: str
    options: str
    json: str


_FIELD_AND_VALUE: Final = "| `field` | | its name |\n| `value` | | its value |"

KINDS: Final[Mapping[str, _Kind]] = {
    "backend": _Kind(
        "backend",
        "backend",
        '[backends.sink]\ntype = "«name»"\npath = "events.ndjson"',
        "| `path` | | the file; it is created with the first event |",
        '{"path": "events.ndjson"}',
    ),
    "processor": _Kind(
        "processor",
        "processor",
        '[[processors]]\ntype = "«name»"\nfield = "course"\nvalue = "demo"',
        _FIELD_AND_VALUE,
        '{"field": "course", "value": "demo"}',
    ),
    "context-provider": _Kind(
        "context provider",
        "provider",
        '[[context]]\ntype = "«name»"\nfield = "region"\nvalue = "north"',
        _FIELD_AND_VALUE,
        '{"field": "region", "value": "north"}',
    ),
}
"""By the name of their templates."""


class Plan:
    """The files of a new plugin.

    Args:
        name: the type that configurations will name.
        kind: what it adds, one of `KINDS`.
    """

    def __init__(self, name: str, kind: str) -> None:
        self.distribution = f"eventtracking-{name.replace('_', '-')}"
        self._name = name
        self._kind = kind
        self._values = {
            **KINDS[kind]._asdict(),
            "name": name,
            "distribution": self.distribution,
            "module": f"eventtracking_{name}",
            "Class": "".join(word.capitalize() for word in name.split("_")),
        }

    def write(self, target: Path) -> list[Path]:
        """Make the directory with all files, or nothing; return their paths in it, in order."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as draft:
            whole = Path(draft, target.name)
            whole.mkdir()
            rendered = dict(self._files())
            for path, text in rendered.items():
                (whole / path).parent.mkdir(parents=True, exist_ok=True)
                (whole / path).write_text(text, encoding="utf-8")
            whole.rename(target)
        return sorted(rendered)

    def _files(self) -> Iterator[tuple[Path, str]]:
        for part in ("common", self._kind):
            root = files("eventtracking_cli") / "templates" / part
            for path, template in _walk(root, Path()):
                yield self._path(path), self._filled(template)

    def _path(self, template: Path) -> Path:
        """Return the path of what is made of a template."""
        path = str(template).removesuffix(_SUFFIX)
        return Path(path.replace("MODULE", self._values["module"]).replace("NAME", self._name))

    def _filled(self, text: str) -> str:
        """Fill in the fields; what is filled in may have some itself."""
        while _FIELD.search(text):
            text = _FIELD.sub(lambda match: self._values[match[1]], text)
        return text


def _walk(directory: Traversable, at: Path) -> Iterator[tuple[Path, str]]:
    """Yield each template below a directory: its path there, and its text."""
    for child in directory.iterdir():
        if child.is_dir():
            yield from _walk(child, at / child.name)
        elif child.name.endswith(_SUFFIX):
            yield at / child.name, child.read_text(encoding="utf-8")
