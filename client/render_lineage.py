"""Where a result comes from and where it went, as text and as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Final

from rich.console import RenderableType
from rich.tree import Tree

from client.page.glossary import Glossary
from languages import ENGLISH, Language, message
from party.lineage.graph import LAYERS, Lineage, Node
from privacy.units import format_delta, format_epsilon

_WIDTH, _HEIGHT, _ACROSS, _DOWN, _EDGE = 210, 62, 46, 18, 24
_TITLES: Final = {
    "source": message("Sources"),
    "dataset": message("Datasets"),
    "consent": message("Consent"),
    "session": message("Sessions"),
    "spend": message("Budget"),
    "release": message("Release"),
    "result": message("Results"),
    "use": message("Went to"),
}
_NAMED: Final = {
    "source": message("source {name}"),
    "dataset": message("dataset {name}"),
    "consent": message("consent {name}"),
    "session": message("session {name}"),
    "result": message("result, {name}"),
    "spend": message("charge, {name}"),
}
"""How a node is called; others by their name alone."""
NAMES: Final = Glossary(
    (
        message("session"),
        message("release"),
        message("result"),
        message("dp"),
        message("disclosure"),
    )
)
VALUES: Final = Glossary(
    (
        message("snapshot"),
        message("columns"),
        message("purpose"),
        message("recipient"),
        message("root"),
        message("input"),
        message("request"),
        message("contract"),
        message("table"),
        message("transcript"),
        message("failed"),
        message("ends at"),
        message("event {what}"),
        message("start"),
        message("complete"),
        message("fail"),
        message("{what} deleted"),
        message("list"),
        message("holders"),
        message("result"),
        message("session"),
    )
)
"""What the values of a node are called, as the log names them; others stay as they are."""
_COLOURS: Final = {
    "source": "#eceff1",
    "dataset": "#e3f2fd",
    "consent": "#e8f5e9",
    "session": "#fff8e1",
    "spend": "#fce4ec",
    "release": "#ede7f6",
    "result": "#fff3e0",
    "use": "#f1f8e9",
}
_LONGEST: Final = 34


@dataclass(frozen=True)
class Branch:
    """A line of a tree, the log's entry that says so, and what stands below it."""

    text: str
    entry: int | None = None
    time: str | None = None
    below: list[Branch] = field(default_factory=list)


def lineage_trees(lineage: Lineage, _: Language = ENGLISH) -> list[Branch]:
    """Return a tree for each thing that was asked for: what it rests on, and where it went."""
    return [_tree(lineage, lineage.nodes[about], _) for about in lineage.about]


def lineage_shown(lineage: Lineage) -> list[RenderableType]:
    """Return the same as a terminal shows it."""
    drawn: list[RenderableType] = [
        _drawn(Tree(_line_of(branch)), branch) for branch in lineage_trees(lineage)
    ]
    return [*drawn, left_out(lineage)] if lineage.left_out else drawn


def left_out(lineage: Lineage, _: Language = ENGLISH) -> str:
    """Say how many requests of a dataset are not in its lineage."""
    return _(
        "Older requests that are not shown: {number}. Each has a lineage of its own.",
        number=_.number(lineage.left_out),
    )


def lineage_svg(lineage: Lineage, _: Language = ENGLISH) -> str:
    """Return the graph as one SVG file: layers from left to right, in print and without colour."""
    placed = _placed(lineage)
    layers = [layer for layer in LAYERS if any(n.kind == layer for n in lineage.nodes.values())]
    rows = max(sum(n.kind == layer for n in lineage.nodes.values()) for layer in layers)
    width = 2 * _EDGE + len(layers) * (_WIDTH + _ACROSS) - _ACROSS
    height = 2 * _EDGE + 26 + rows * (_HEIGHT + _DOWN) - _DOWN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" font-family="sans-serif" font-size="11">',
            f"<title>{escape(_('Lineage of {what}', what=_names(lineage, _)))}</title>",
            '<defs><marker id="end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#555"/></marker></defs>',
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
            *(
                f'<text x="{_EDGE + i * (_WIDTH + _ACROSS)}" y="{_EDGE + 4}" font-weight="bold">'
                f"{_(_TITLES[layer])}</text>"
                for i, layer in enumerate(layers)
            ),
            *(_line(placed[one], placed[other]) for one, other in lineage.edges),
            *(_box(node, *placed[node.id], node.id in lineage.about, _) for node in _all(lineage)),
            "</svg>\n",
        ]
    )


def _drawn(tree: Tree, branch: Branch) -> Tree:
    for one in branch.below:
        _drawn(tree.add(_line_of(one)), one)
    return tree


def _line_of(branch: Branch) -> str:
    entry = "" if branch.entry is None else f"  [entry {branch.entry}, {branch.time}]"
    return f"{branch.text}{entry}"


def _tree(lineage: Lineage, root: Node, _: Language) -> Branch:
    tree = _branch(root, _)
    seen: set[str] = {root.id}
    ways = ((_("comes from"), lineage.before), (_("went to"), lineage.after))
    for title, way in ways:
        if way[root.id]:
            part = Branch(title)
            tree.below.append(part)
            _grow(part, lineage.nodes, way, root.id, seen, _)
    return tree


def _branch(node: Node, _: Language) -> Branch:
    return Branch(_in_words(node, _), node.entry, node.time)


def _grow(
    branch: Branch,
    nodes: Mapping[str, Node],
    ways: Mapping[str, tuple[str, ...]],
    at: str,
    seen: set[str],
    _: Language,
) -> None:
    """Add what a node leads to; what stands in the tree already is named, and not told again."""
    for other in ways[at]:
        if other in seen:
            branch.below.append(Branch(_("{what}, see above", what=_title(nodes[other], _))))
            continue
        seen.add(other)
        below = _branch(nodes[other], _)
        branch.below.append(below)
        _grow(below, nodes, ways, other, seen, _)


def _in_words(node: Node, _: Language) -> str:
    said = _("; ").join(_details(node, _))
    title = _title(node, _)
    return _("{what}: {details}", what=title, details=said) if said else title


def _title(node: Node, _: Language) -> str:
    name = NAMES.said(node.name, _)
    return _(_NAMED[node.kind], name=name) if node.kind in _NAMED else name


def _details(node: Node, _: Language) -> Iterator[str]:
    """Yield what a node's values say; digests by their first digits."""
    values = dict(node.details)
    if "epsilon_nano" in values:
        epsilon, delta = int(values.pop("epsilon_nano")), int(values.pop("delta_e15"))
        if node.name == "dp":
            yield f"ε {format_epsilon(epsilon)}, δ {format_delta(delta)}"
        yield _(
            "people of {population} towards {coalition}",
            population=values.pop("population"),
            coalition=values.pop("coalition"),
        )
    for name, value in values.items():
        yield f"{VALUES.said(name.replace('_', ' '), _)} {_brief(value)}"


def _brief(value: str | int) -> str:
    text = str(value)
    is_digest = len(text) >= 32 and set(text) <= set("0123456789abcdef")
    return f"{text[:8]}…" if is_digest else text


def _placed(lineage: Lineage) -> dict[str, tuple[int, int]]:
    """Return where each box stands: its layer's column, in the order of the log."""
    layers = [layer for layer in LAYERS if any(n.kind == layer for n in lineage.nodes.values())]
    places = {}
    for column, layer in enumerate(layers):
        own = [node for node in _all(lineage) if node.kind == layer]
        for row, node in enumerate(own):
            x = _EDGE + column * (_WIDTH + _ACROSS)
            places[node.id] = (x, _EDGE + 18 + row * (_HEIGHT + _DOWN))
    return places


def _all(lineage: Lineage) -> list[Node]:
    return list(lineage.nodes.values())


def _names(lineage: Lineage, _: Language) -> str:
    return ", ".join(dict.fromkeys(_title(lineage.nodes[about], _) for about in lineage.about))


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    x, y = start[0] + _WIDTH, start[1] + _HEIGHT // 2
    to_x, to_y = end[0], end[1] + _HEIGHT // 2
    middle = (x + to_x) // 2
    return (
        f'<path d="M{x} {y}C{middle} {y} {middle} {to_y} {to_x} {to_y}" fill="none" '
        'stroke="#555" marker-end="url(#end)"/>'
    )


def _box(node: Node, x: int, y: int, asked: bool, _: Language) -> str:
    said = list(_details(node, _))
    place = "" if node.entry is None else _("entry {number}", number=node.entry)
    entry = f"{place}, {node.time[:10]}" if place and node.time else place
    lines = [_cut(_title(node, _)), *map(_cut, said[:2]), entry]
    texts = "".join(
        f'<text x="{x + 8}" y="{y + 15 + 14 * i}" font-weight="{"normal" if i else "bold"}">'
        f"{escape(line)}</text>"
        for i, line in enumerate(lines)
        if line
    )
    return (
        f"<g><title>{escape(_line_of(_branch(node, _)))}</title>"
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="5" '
        f'fill="{_COLOURS[node.kind]}" stroke="#333" stroke-width="{2.5 if asked else 1}"/>'
        f"{texts}</g>"
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
