"""A routing tree, drawn: processors, types, delivery, and what became of the events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from rich.text import Text
from rich.tree import Tree

from eventtracking_cli.text import plain, symbol

__all__ = ["LeafCounts", "draw_tree", "drop_reasons", "leaves", "outline"]

Node = Mapping[str, Any]


class LeafCounts(NamedTuple):
    """The outcomes of the events that reached one backend."""

    path: str
    delivered: int
    lost: Mapping[str, int]
    """By reason."""
    pending: int


def draw_tree(node: Node, title: str, *, counters: bool) -> Tree:
    """Return the drawing of a tree.

    Args:
        node: the tree, as `Tracker.stats()` has it.
        title: what stands at the root.
        counters: say what became of the events, too.
    """
    top = Text(plain(title), style="bold")
    if counters:
        top.append(_routed(node))
    tree = Tree(top, guide_style="dim")
    _draw_below(tree, node, counters=counters)
    return tree


def _draw_below(tree: Tree, node: Node, *, counters: bool) -> None:
    for step in node.get("processors", ()):
        label = Text.assemble((f"{symbol('▸', '>')} ", "cyan"), (plain(step["name"]), "cyan"))
        if counters:
            label.append(_counts({"dropped": step["dropped"], **step["errors"]}), "yellow")
        tree.add(label)
    for child in node.get("backends", ()):
        router = "backends" in child
        label = Text.assemble((plain(child["name"]), "bold"), "  ", plain(child["type"]))
        if not router:
            label.append(f", {child['delivery']}", "dim")
        if counters:
            label.append(_routed(child) if router else _delivered(child))
        branch = tree.add(label)
        _draw_below(branch, child, counters=counters)
        if "remote" in child:
            _draw_remote(branch, child["remote"])


def _draw_remote(tree: Tree, children: Iterable[Node]) -> None:
    """Draw what runs in other processes; what is counted there is not known here."""
    workers = tree.add(Text("in workers", style="magenta"))
    _draw_below(workers, {"backends": children}, counters=False)


def _routed(node: Node) -> Text:
    return Text.assemble(
        (f"  {node['accepted']:,} in", "green"), (_counts(node["dropped"]), "yellow")
    )


def _delivered(leaf: Node) -> Text:
    return Text.assemble(
        (f"  {leaf['delivered']:,} delivered", "green"),
        (_counts({"pending": leaf["pending"]}), "yellow"),
        (_counts(_lost(leaf)), "red"),
    )


def _lost(leaf: Node) -> dict[str, int]:
    dead = leaf.get("dead_lettered", 0)
    return {**leaf["dropped"], **({"dead_lettered": dead} if dead else {})}


def _counts(numbers: Mapping[str, int]) -> str:
    return "".join(f", {number:,} {plain(name)}" for name, number in numbers.items() if number)


def outline(node: Node) -> dict[str, Any]:
    """Return a tree without its counters."""
    plain_node = {key: node[key] for key in ("name", "type", "delivery") if key in node}
    if "backends" in node:
        plain_node["processors"] = [step["name"] for step in node["processors"]]
        plain_node["backends"] = [outline(child) for child in node["backends"]]
    if "remote" in node:
        plain_node["remote"] = [outline(child) for child in node["remote"]]
    return plain_node


def leaves(node: Node, path: str = "") -> Iterator[LeafCounts]:
    """Yield the counters of every backend below a node, with its dotted path."""
    for child in node.get("backends", ()):
        name = f"{path}.{child['name']}" if path else child["name"]
        if "backends" in child:
            yield from leaves(child, name)
        else:
            yield LeafCounts(name, child["delivered"], _lost(child), child["pending"])


def drop_reasons(node: Node) -> dict[str, int]:
    """Return how many events the routers of a tree dropped, by reason."""
    counts: dict[str, int] = dict(node.get("dropped", {}))
    for child in node.get("backends", ()):
        if "backends" in child:
            for reason, number in drop_reasons(child).items():
                counts[reason] = counts.get(reason, 0) + number
    return counts
