"""Find the lines of code that emit events, by static analysis."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from eventtracking_catalog.model import Emitter

__all__ = ["emitters", "files_of"]

MAX_FILES: Final = 5000
_LEFT_OUT: Final = frozenset({"node_modules", "site-packages", "__pycache__"})


def files_of(module_file: Path, module_name: str) -> list[Path]:
    """Return the Python files of a module's package, or else of its directory."""
    depth = module_name.count(".")
    if module_file.name == "__init__.py":
        root = module_file.parents[depth]
    elif depth:
        root = module_file.parents[depth - 1]
    else:
        return sorted(module_file.parent.glob("*.py"))[:MAX_FILES]
    files = (
        path
        for path in root.rglob("*.py")
        if not _LEFT_OUT.intersection(path.relative_to(root).parts)
    )
    return sorted(files)[:MAX_FILES]


def emitters(files: list[Path], base: Path) -> Iterator[tuple[str, Emitter]]:
    """Yield the name of an event and the line that emits it, for each such line.

    It finds calls of any function named `emit` whose first argument is a text, or constructs a
    class decorated with `event("name")` in one of the files.

    Args:
        files: the files to search.
        base: the directory that returned paths are relative to.
    """
    trees = {file: tree for file in files if (tree := _parsed(file)) is not None}
    classes = {name: of for tree in trees.values() for name, of in _typed_events(tree)}
    for file, tree in trees.items():
        path = file.relative_to(base) if file.is_relative_to(base) else Path(file.name)
        for function, call in _calls(tree, ""):
            name = _emitted(call, classes)
            if name is not None:
                yield name, Emitter(path.as_posix(), call.lineno, function)


def _parsed(file: Path) -> ast.Module | None:
    try:
        return ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None


def _typed_events(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the class names of typed events with the names of their events."""
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    decorators = [(cls.name, each) for cls in classes for each in cls.decorator_list]
    for class_name, decorator in decorators:
        if isinstance(decorator, ast.Call) and _name(decorator.func) == "event":
            name = _text(_name_argument(decorator))
            if name is not None:
                yield class_name, name


def _name_argument(call: ast.Call) -> ast.expr | None:
    return call.args[0] if call.args else _keyword(call, "name")


def _calls(node: ast.AST, function: str) -> Iterator[tuple[str, ast.Call]]:
    for child in ast.iter_child_nodes(node):
        inner = function
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            inner = f"{function}.{child.name}" if function else child.name
        if isinstance(child, ast.Call):
            yield inner, child
        yield from _calls(child, inner)


def _emitted(call: ast.Call, classes: Mapping[str, str]) -> str | None:
    if _name(call.func) != "emit":
        return None
    argument = _name_argument(call)
    if isinstance(argument, ast.Call):
        return classes.get(_name(argument.func))
    return _text(argument)


def _name(node: ast.expr) -> str:
    """Return the last part of a dotted name; empty if the node is not a name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.expr | None) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
