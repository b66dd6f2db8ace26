"""YAML, read by PyYAML's safe loader: merge keys in bounds, and no duplicate keys."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final

import yaml
from yaml.constructor import ConstructorError

__all__ = ["parse"]

MAX_MERGED: Final = 100_000
"""Pairs that merge keys add, in all: aliases can make much of little text."""

_MERGE: Final = "tag:yaml.org,2002:merge"
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
_GRAMMAR: Final = re.compile(r".(<[a-z ]+>|\W*).")
_RESERVED: Final = re.compile(r"cannot start any token|alias|anchor|tag|directive|indicator")

_Pair = tuple[yaml.Node, yaml.Node]


def parse(text: str) -> Any:
    """Return the value of a text; an empty one is an empty table.

    Raises:
        ValueError: it is not YAML; the message says where and why, and has no value of it.
    """
    try:
        value = yaml.load(text, _Loader)  # noqa: S506  a SafeLoader
    except yaml.MarkedYAMLError as error:
        raise ValueError(_message(error)) from error
    except yaml.YAMLError as error:
        raise ValueError("a character that YAML does not allow") from error
    return {} if value is None else value


def _message(error: yaml.MarkedYAMLError) -> str:
    mark, problem = error.problem_mark, error.problem or ""
    if not problem.startswith("found character"):
        # It may quote a value: `password: *secret` is an alias to it.
        problem = _QUOTED.sub(lambda match: match[0] if _is_grammar(match[0]) else "…", problem)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    hint = ""
    if r"'\t'" in problem:
        hint = " (indent with spaces)"
    elif _RESERVED.search(problem):
        hint = " (quote texts that begin with & * ! | > % @)"
    return f"{where}{problem}{hint}"


def _is_grammar(quoted: str) -> bool:
    return _GRAMMAR.fullmatch(quoted) is not None


class _Loader(yaml.SafeLoader):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._merging: set[int] = set()
        self._merges_left = MAX_MERGED

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002  PyYAML's own
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, LookupError, AttributeError, TypeError, ArithmeticError) as error:
            # A text that is not what its tag says; the error may quote it.
            raise _error("expected another value for this tag", node) from error

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Replace the merge keys of a mapping by the pairs they stand for."""
        own = [pair for pair in node.value if pair[0].tag != _MERGE]
        keys = self._keys(own)
        for twice in [key for key, number in Counter(keys).items() if number > 1]:
            text = repr(twice) if isinstance(twice, str | int) else ""
            raise ValueError(f"duplicate key {text}, line {node.start_mark.line + 1}")
        if len(own) == len(node.value):
            return
        own_keys = set(keys)
        self._merging.add(id(node))
        merged: dict[Any, _Pair] = {}
        for source in dict.fromkeys(self._sources(node)):  # an earlier one wins
            if id(source) in self._merging:
                raise _error("a mapping cannot merge itself", source)
            self.flatten_mapping(source)
            self._merges_left -= len(source.value)
            if self._merges_left < 0:
                raise _error("more merged values than a configuration has", source)
            for key, pair in zip(self._keys(source.value), source.value, strict=True):
                merged.setdefault(key, pair)
        self._merging.remove(id(node))
        node.value = [pair for key, pair in merged.items() if key not in own_keys] + own

    def _sources(self, node: yaml.MappingNode) -> list[yaml.MappingNode]:
        sources: list[Any] = []
        for key, value in node.value:
            if key.tag == _MERGE:
                sources += value.value if isinstance(value, yaml.SequenceNode) else [value]
        for source in sources:
            if not isinstance(source, yaml.MappingNode):
                raise _error("expected a mapping, or a list of mappings, to merge", source)
        return sources

    def _keys(self, pairs: list[_Pair]) -> list[Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in pairs]
        for key, (node, _) in zip(keys, pairs, strict=True):
            if isinstance(key, list | dict | set):
                raise _error("a key must be text", node)
        return keys


def _error(problem: str, node: yaml.Node) -> ConstructorError:
    return ConstructorError(problem=problem, problem_mark=node.start_mark)
