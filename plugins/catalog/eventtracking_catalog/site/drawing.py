"""Pictures in SVG: counts over time, and a routing tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Box", "Edge", "Picture", "bars_path", "routing_picture"]

WIDTH: Final = 216
GAP: Final = 72
HEAD: Final = 50
"""Height of a box with a name and a type."""

LINE: Final = 20
"""Height that a processor adds to it."""

SPACE: Final = 18


def bars_path(bars: Sequence[int], width: int, height: int) -> str:
    """Return the path of a bar for each number, from the baseline up."""
    peak = max(bars, default=0)
    if not peak:
        return ""
    step = width / len(bars)
    parts = []
    for position, number in enumerate(bars):
        if number:
            tall = max(1.0, number / peak * height)
            left = position * step
            parts.append(f"M{left:.1f} {height}v-{tall:.1f}h{step * 0.72:.1f}v{tall:.1f}z")
    return "".join(parts)


@dataclass(frozen=True)
class Box:
    """A router or a backend: where it is drawn, and what stands in it."""

    x: float
    y: float
    height: float
    name: str
    kind: str
    processors: tuple[str, ...]
    leaf: bool


@dataclass(frozen=True)
class Edge:
    """The way from a router to one of its children."""

    path: str


@dataclass(frozen=True)
class Picture:
    """A routing tree, drawn from left to right."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]


def routing_picture(tree: Mapping[str, Any]) -> Picture:
    """Return the picture of a routing tree, as `Tracker.stats()` has it."""
    drawn = list(_drawn(tree, 0, 0.0))
    boxes = tuple(box for box in drawn if isinstance(box, Box))
    return Picture(
        width=max(box.x for box in boxes) + WIDTH,
        height=max(_below(tree), *(box.y + box.height for box in boxes)),
        boxes=boxes,
        edges=tuple(edge for edge in drawn if isinstance(edge, Edge)),
    )


def _height(node: Mapping[str, Any]) -> float:
    return HEAD + LINE * len(node.get("processors", ()))


def _below(node: Mapping[str, Any]) -> float:
    """Return the height of a node and all that is below it."""
    children = node.get("backends", ())
    stacked = sum(_below(child) for child in children) + SPACE * max(0, len(children) - 1)
    return max(_height(node), stacked)


def _drawn(node: Mapping[str, Any], depth: int, top: float) -> Iterator[Box | Edge]:
    whole, height = _below(node), _height(node)
    box = Box(
        x=depth * (WIDTH + GAP),
        y=top + (whole - height) / 2,
        height=height,
        name=node["name"],
        kind=f"{node['type']}, {node['delivery']}" if "delivery" in node else node["type"],
        processors=tuple(step["name"] for step in node.get("processors", ())),
        leaf="backends" not in node,
    )
    yield box
    children = node.get("backends", ())
    stacked = sum(_below(child) for child in children) + SPACE * max(0, len(children) - 1)
    below = top + (whole - stacked) / 2
    for child in children:
        right, middle = box.x + WIDTH, box.y + height / 2
        target = below + _below(child) / 2
        bend = right + GAP / 2
        yield Edge(f"M{right} {middle}C{bend} {middle} {bend} {target} {right + GAP} {target}")
        yield from _drawn(child, depth + 1, below)
        below += _below(child) + SPACE
