"""Foreign keys: who waits while one is added, and what a missing index costs."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, BLOCKING, COMPATIBILITY, CONVENTION, SRE, Name, label
from migrations_registry.analysis.parsing.nodes import relation, strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on, rule
from migrations_registry.analysis.rules.safe_form import not_valid
from migrations_registry.analysis.state import State

ADD_FK = rule(
    "ML-ADD-FK",
    BLOCKING,
    "checks every row of {name} against {parent} while writers of both wait, and fails if one has no match",
    "{safe}",
    lock=SRE,
    scan=True,
    bad=("ALTER TABLE orders ADD CONSTRAINT x FOREIGN KEY (customer_id) REFERENCES customers (id)",),
    good=(
        "ALTER TABLE orders ADD CONSTRAINT x FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID",
        "CREATE TABLE x (a bigint); ALTER TABLE x ADD FOREIGN KEY (a) REFERENCES orders (id)",
    ),
)
FK_NOT_VALID = rule(
    "ML-FK-NOT-VALID",
    CONVENTION,
    "adds a foreign key for new rows only: writers of {name} and {parent} wait briefly",
    "VALIDATE it in the next file.",
    lock=SRE,
    bad=("ALTER TABLE orders ADD CONSTRAINT x FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID",),
    good=("SELECT 1",),
)
FK_NOT_ENFORCED = rule(
    "ML-FK-NOT-ENFORCED",
    CONVENTION,
    "the foreign key of {name} is not enforced: rows that refer to nothing get in, and nobody is told",
    "Leave NOT ENFORCED out, if the data must be right.",
    lock=SRE,
    versions="18+",
    bad=("ALTER TABLE orders ADD CONSTRAINT x FOREIGN KEY (customer_id) REFERENCES customers (id) NOT ENFORCED",),
    good=("SELECT 1",),
)
INLINE_FK = rule(
    "ML-INLINE-FK",
    BLOCKING,
    "adds a column with a foreign key: nobody can use {name} and nobody can write {parent} until it is done",
    "ADD COLUMN without REFERENCES; ADD CONSTRAINT … FOREIGN KEY … NOT VALID; VALIDATE in the next file.",
    lock=AX,
    bad=("ALTER TABLE orders ADD COLUMN x bigint REFERENCES customers (id)",),
    good=("ALTER TABLE orders ADD COLUMN x bigint", "CREATE TABLE x (a bigint REFERENCES customers (id))"),
)
FK_NO_INDEX = rule(
    "ML-FK-NO-INDEX",
    CONVENTION,
    "no index begins with {columns} of {name}: each row deleted from {parent} makes the server read all of {name}",
    "CREATE INDEX CONCURRENTLY ON {name} ({columns});",
    bad=("ALTER TABLE orders ADD CONSTRAINT x FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID",),
    good=("SELECT 1",),
)
FK_EMPTY = rule(
    "MC-FK-EMPTY",
    COMPATIBILITY,
    "{parent} is new and this file puts no row there: until they are, every write that gives {columns} of {name} a "
    "value fails",
    "Fill {parent} in this file first.",
    lock=SRE,
    bad=(
        "CREATE TABLE x (id bigint PRIMARY KEY); "
        "ALTER TABLE orders ADD CONSTRAINT y FOREIGN KEY (customer_id) REFERENCES x NOT VALID",
    ),
    good=(
        "CREATE TABLE x (id bigint PRIMARY KEY); INSERT INTO x SELECT id FROM customers; "
        "ALTER TABLE orders ADD CONSTRAINT y FOREIGN KEY (customer_id) REFERENCES x NOT VALID",
        "CREATE TABLE x (id bigint PRIMARY KEY); ALTER TABLE orders ADD COLUMN z bigint; "
        "ALTER TABLE orders ADD CONSTRAINT y FOREIGN KEY (z) REFERENCES x NOT VALID",
    ),
)
CREATE_FK_PARENT = rule(
    "ML-CREATE-FK-PARENT",
    CONVENTION,
    "writers of {parent} wait briefly while a new table refers to it",
    "A short lock_timeout; the runner sets one.",
    lock=SRE,
    bad=("CREATE TABLE x (a bigint REFERENCES customers (id))",),
    good=("CREATE TABLE x (a bigint)",),
)


def foreign_key(constraint: Node, name: Name, state: State) -> None:
    """ADD FOREIGN KEY to an existing table."""
    parent = relation(constraint["pktable"])
    safe = not_valid(state, label(name), constraint.get("conname", ""))
    words = {"name": label(name), "parent": label(parent), "safe": safe}
    if not constraint.get("is_enforced"):
        state.see(FK_NOT_ENFORCED, **words)
    else:
        state.see(FK_NOT_VALID if constraint.get("skip_validation") else ADD_FK, **words)
    columns = strings(constraint.get("fk_attrs", []))
    state.references[name, constraint.get("conname", f"{name[1]}_{'_'.join(columns)}_fkey")] = parent, tuple(columns)
    ours = all((name, column) in state.created_columns for column in columns)
    is_filled = parent in state.filled or ("rows", parent) in state.uses
    if state.is_new(parent) and not ours and not is_filled:
        state.see(FK_EMPTY, columns=", ".join(columns), **words)
    facts = state.table(name)
    if facts is None or (columns and columns[0] not in facts.indexed):
        state.see(FK_NO_INDEX, columns=", ".join(columns), **words)


@on("CreateStmt")
def create_with_parent(node: Node, state: State) -> None:
    """CREATE TABLE … REFERENCES an existing table."""
    parents: dict[Name, None] = {}
    for element in node.get("tableElts", []):
        for item in [element, *element.get("ColumnDef", {}).get("constraints", [])]:
            if "pktable" in item.get("Constraint", {}):
                parent = relation(item["Constraint"]["pktable"])
                parents[parent] = None
                key = item["Constraint"].get("conname", f"{parent[1]} of {len(parents)}")
                state.references[relation(node["relation"]), key] = parent, ()
    for parent in parents:
        if not state.is_new(parent) and parent != relation(node["relation"]):
            state.see(CREATE_FK_PARENT, parent=label(parent))
