"""Make the README's links absolute in the package's metadata, where an index shows it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from hatchling.metadata.plugin.interface import MetadataHookInterface

__all__ = ["ReadmeLinks"]

_RELATIVE: Final = re.compile(r"(!?)(\[[^\]]*\])\((?!https?:|#)([^)]+)\)")


class ReadmeLinks(MetadataHookInterface):
    """Reads README.md; its files are those of the repository that `project.urls` names."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the field `readme`."""
        source = metadata["urls"]["Source"]

        def absolute(link: re.Match[str]) -> str:
            view = "raw" if link[1] else "blob"
            return f"{link[1]}{link[2]}({source}/{view}/main/{link[3]})"

        text = _RELATIVE.sub(absolute, Path(self.root, "README.md").read_text(encoding="utf-8"))
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
