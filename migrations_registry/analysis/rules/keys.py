"""Primary keys, unique and exclusion constraints; foreign keys stand by themselves."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, BLOCKING, CONVENTION, Name
from migrations_registry.analysis.parsing.nodes import label, relation
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on_alter, rule
from migrations_registry.analysis.rules.foreign_keys import INLINE_FK, foreign_key
from migrations_registry.analysis.state import State

_USING_INDEX = (
    "CREATE UNIQUE INDEX CONCURRENTLY i ON {name} (…); ALTER TABLE {name} ADD CONSTRAINT … {kind} USING INDEX i;"
)
ADD_UNIQUE = rule(
    "ML-ADD-UNIQUE",
    BLOCKING,
    "builds a unique index on {name} while nobody can read or write it",
    _USING_INDEX,
    lock=AX,
    scan=True,
    bad=("ALTER TABLE orders ADD CONSTRAINT x UNIQUE (code)", "ALTER TABLE orders ADD COLUMN x text UNIQUE"),
    good=(
        "ALTER TABLE customers ADD CONSTRAINT x UNIQUE USING INDEX customers_email_idx",
        "CREATE TABLE x (a int); ALTER TABLE x ADD UNIQUE (a)",
    ),
)
ADD_PRIMARY_KEY = rule(
    "ML-ADD-PK",
    BLOCKING,
    "builds the primary key's index on {name} and checks NOT NULL while nobody can use it",
    _USING_INDEX,
    lock=AX,
    scan=True,
    bad=("ALTER TABLE keyless ADD PRIMARY KEY (id)",),
    good=("CREATE TABLE x (a int); ALTER TABLE x ADD PRIMARY KEY (a)", "CREATE TABLE x (a int PRIMARY KEY)"),
)
USING_INDEX = rule(
    "ML-USING-INDEX",
    CONVENTION,
    "makes an existing index the constraint of {name}: a brief lock",
    "Check pg_index.indisvalid first.",
    lock=AX,
    bad=("ALTER TABLE customers ADD CONSTRAINT x UNIQUE USING INDEX customers_email_idx",),
    good=("SELECT 1",),
)
PK_NULLABLE = rule(
    "ML-PK-USING-INDEX-NULLABLE",
    BLOCKING,
    "{column} may be NULL: making it the primary key reads all of {name} under ACCESS EXCLUSIVE",
    "Make the column NOT NULL first (CHECK … NOT VALID, VALIDATE, SET NOT NULL).",
    lock=AX,
    scan=True,
    bad=("ALTER TABLE keyless ADD CONSTRAINT x PRIMARY KEY USING INDEX keyless_ref_idx",),
    good=("ALTER TABLE keyless ADD CONSTRAINT x PRIMARY KEY USING INDEX keyless_id_idx",),
)
EXCLUDE = rule(
    "ML-EXCLUDE",
    BLOCKING,
    "builds an exclusion constraint on {name} while nobody can read or write it; it has no online form",
    "A maintenance window, or a new table with the constraint and a copied content.",
    lock=AX,
    scan=True,
    bad=("ALTER TABLE orders ADD CONSTRAINT x EXCLUDE USING btree (code WITH =)",),
    good=("CREATE TABLE x (a int, EXCLUDE USING btree (a WITH =))",),
)


@on_alter("AddConstraint")
def add_key(command: Node, alter: Node, state: State) -> None:
    """ADD UNIQUE, PRIMARY KEY, EXCLUDE, FOREIGN KEY on an existing table."""
    constraint = command["def"]["Constraint"]
    name = relation(alter["relation"])
    contype = constraint["contype"]
    if contype == "CONSTR_FOREIGN" and constraint.get("skip_validation"):
        state.unproven[(name, constraint.get("conname", ""))] = (state.transaction, None)
    if state.is_new(name):
        return
    if contype == "CONSTR_FOREIGN":
        foreign_key(constraint, name, state)
    elif contype == "CONSTR_EXCLUSION":
        state.see(EXCLUDE, name=label(name))
    elif contype in ("CONSTR_UNIQUE", "CONSTR_PRIMARY"):
        _unique(constraint, name, state)


def _unique(constraint: Node, name: Name, state: State) -> None:
    primary = constraint["contype"] == "CONSTR_PRIMARY"
    if "indexname" not in constraint:
        kind = "PRIMARY KEY" if primary else "UNIQUE"
        state.see(ADD_PRIMARY_KEY if primary else ADD_UNIQUE, name=label(name), kind=kind)
        return
    state.see(USING_INDEX, name=label(name))
    facts = state.table(name)
    nullable = [
        column
        for column in (facts.index_columns.get(constraint["indexname"], ()) if facts else ())
        if facts and not facts.columns[column].not_null
    ]
    if primary and nullable:
        state.see(PK_NULLABLE, name=label(name), column=", ".join(nullable))


@on_alter("AddColumn")
def inline_keys(command: Node, alter: Node, state: State) -> None:
    """ADD COLUMN … UNIQUE, PRIMARY KEY or REFERENCES."""
    name = relation(alter["relation"])
    if state.is_new(name):
        return
    for item in command["def"]["ColumnDef"].get("constraints", []):
        constraint = item["Constraint"]
        if constraint["contype"] == "CONSTR_FOREIGN":
            has_default = any(_is_default(other) for other in command["def"]["ColumnDef"]["constraints"])
            state.see(INLINE_FK, None, has_default, name=label(name), parent=label(relation(constraint["pktable"])))
        elif constraint["contype"] in ("CONSTR_UNIQUE", "CONSTR_PRIMARY"):
            _unique(constraint, name, state)


def _is_default(item: Node) -> bool:
    return bool(item["Constraint"]["contype"] == "CONSTR_DEFAULT")
