"""Find phrases in prose that are not plain English, and print what to say instead.

Run without arguments from the root of the repository. CONTRIBUTING.md ("Words") has the reasons.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

# What is checked, as patterns of git. Extend it, never shorten it.
CHECKED = (
    "*.md",
    "docs/*.py",
    "benchmarks/*.py",
    "eventtracking_core/*.py",
    "plugins/*/eventtracking*/*.py",
    "plugins/*/eventtracking*/*.html",
    "plugins/*/eventtracking*/*.in",
    "plugins/*/eventtracking*/*.js",
    "*pyproject.toml",
    "tox.ini",
    ":!CONTRIBUTING.md",
    ":!*/tests/*",
)

PHRASES = {
    r"anew": "again, or: recreate, reset",
    r"whoever|whomever": "the caller, the thread, the process, the operator",
    r"somebody|nobody": "name the actor: user, operator, process; or: no one",
    r"tells? (whether|how|which|what)": "return whether, show how",
    r"(is|are|be|was|were) told( of)?": "is notified, is shown, is reported",
    r"in hand": "in flight",
    r"(gives?|gave|given|giving) up": "drop, reject, dead-letter, stop retrying",
    r"keeps? \w+( \w+)? in, by": "stop from leaving; mask, redact",
    r"(what|that|which) (is|are) no(ne)?(?! longer| more)": "is not a, does not",
    r"what waits": "pending events, the backlog",
    r"what becomes of": "what happens to, the outcome of",
    r"(on|upon) (its|their) way": "in flight, on the path",
    r"set aside|sets aside": "quarantine",
    r"what there is to": "name the thing",
    r"(left|goes on|passes|stays) as (it|they) (is|are|was|were)": "unchanged",
    r"(is|are|was|were) settled": "delivered, dropped or dead-lettered; complete",
    r"shall": "must, should, can",
    r"is asked of( every| each)?": "the contract, the conformance suite",
    r"(says?|said) of itself": "name the thing",
    r"(can|may|to) be asked": "queryable, can be queried",
    r"for whom": "name the reader, or leave it out",
}
_PATTERN = re.compile(
    "|".join(rf"(?P<p{i}>\b(?:{p})\b)" for i, p in enumerate(PHRASES)).replace(" ", r"\s+"),
    re.IGNORECASE,
)
_INSTEAD = list(PHRASES.values())
_CODE = re.compile(r"^(`{3,}|:{3,}\{eval).*?^\1?`{3,}$|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def main() -> int:
    """Return 1 if there is a phrase to replace."""
    command = ["git", "ls-files", "-z", "--", *CHECKED]
    names = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    pages = [Path(name) for name in names if name]
    hits = [hit for page in pages for hit in _hits(page)]
    print(*hits, sep="\n", end="\n" if hits else "")
    return bool(hits)


def _hits(path: Path) -> Iterator[str]:
    if not path.is_file():
        return
    for line, text in _prose(path):
        for match in _PATTERN.finditer(text):
            number = line + text.count("\n", 0, match.start())
            phrase = " ".join(match.group().split())
            instead = _INSTEAD[int((match.lastgroup or "p0")[1:])]
            yield f"{path}:{number}: {phrase!r}: say {instead}"


def _prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield a page without its code, the comments and strings of a module, or all of a template."""
    if path.suffix == ".md":
        text = path.read_text(encoding="utf-8")
        yield 1, _CODE.sub(lambda code: "\n" * code.group().count("\n"), text)
        return
    if path.suffix != ".py":
        yield 1, path.read_text(encoding="utf-8")
        return
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            name = tokenize.tok_name[token.type]
            if name in {"COMMENT", "STRING", "FSTRING_MIDDLE"}:
                yield token.start[0], token.string


if __name__ == "__main__":
    sys.exit(main())
