"""A render.yaml as a tree that still knows its lines: text in, `Item`s out. Pure.

Scalars keep the text that stands in the file: Render's reader (YAML 1.2) takes `off` and `017` as text where YAML 1.1
would not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

KINDS = {"str": "text", "int": "integer", "float": "number", "bool": "boolean", "null": "nothing", "merge": "text"}


@dataclass(frozen=True)
class Fault:
    """One thing that Render would not do as it is written: where, what is wrong, what Render does, what to write.

    `tone` is "bad" for what is refused or ignored, "warn" for what only works today or for somebody.
    """

    line: int
    where: str
    problem: str
    then: str
    write: str
    tone: str = "bad"

    def __str__(self) -> str:
        return f"line {self.line}, {self.where}: {self.problem}. {self.then} {self.write}"


@dataclass(frozen=True)
class Item:
    """A value of the file: of `kind` text, integer, number, boolean, nothing, list or mapping."""

    line: int
    kind: str
    text: str = ""
    items: Sequence[Item] = ()
    fields: Mapping[str, Item] = field(default_factory=dict)
    repeated: Sequence[tuple[str, int]] = ()

    def of(self, name: str) -> str:
        """The text of a field; empty where it is missing or no scalar."""
        found = self.fields.get(name)
        return found.text if found else ""

    def list(self, name: str) -> list[Item]:
        """The mappings in a list field."""
        found = self.fields.get(name)
        return [item for item in found.items if item.kind == "mapping"] if found else []

    def line_of(self, name: str) -> int:
        return self.fields[name].line if name in self.fields else self.line


def item(node: yaml.Node) -> Item:
    """The tree below a composed node, merge keys and aliases resolved."""
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        return Item(line, KINDS.get(node.tag.rpartition(":")[2], "text"), node.value)
    if isinstance(node, yaml.SequenceNode):
        return Item(line, "list", items=[item(child) for child in node.value])
    merged: dict[str, Item] = {}
    own: dict[str, Item] = {}
    repeated = []
    for key, value in node.value:
        if key.tag.endswith(":merge"):
            merged |= _merged(value)
        elif key.value in own:
            repeated.append((str(key.value), key.start_mark.line + 1))
        else:
            own[str(key.value)] = item(value)
    return Item(line, "mapping", fields=merged | own, repeated=repeated)


def repetitions(tree: Item, where: str = "the file") -> Iterator[Fault]:
    """Fields that stand twice in one mapping: only one of them can count."""
    for name, line in tree.repeated:
        then = "Render's reader refuses the file."
        yield Fault(line, where, f"`{name}` stands twice", then, "Keep one of them.")
    for name, child in tree.fields.items():
        yield from repetitions(child, name)
    for child in tree.items:
        yield from repetitions(child, where)


def _merged(value: yaml.Node) -> dict[str, Item]:
    """Of several the first one that has a field counts (yaml.org/type/merge.html)."""
    parts = value.value if isinstance(value, yaml.SequenceNode) else [value]
    return {name: found for part in reversed(parts) for name, found in item(part).fields.items()}
