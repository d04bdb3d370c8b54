"""Primary keys, unique and exclusion constraints, foreign keys."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, BLOCKING, CONVENTION, SRE, Name
from migrations_registry.analysis.parsing.nodes import label, relation, strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on, on_alter, rule
from migrations_registry.analysis.safe_form import not_valid
from migrations_registry.analysis.state import State

_USING_INDEX = (
    "CREATE UNIQUE INDEX CONCURRENTLY i ON {name} (…); ALTER TABLE {name} ADD CONSTRAINT … {kind} USING INDEX i;"
)
ADD_UNIQUE = rule(
    "ML-ADD-UNIQUE", BLOCKING, "builds a unique index on {name} while nobody can read or write it", _USING_INDEX,
    lock=AX, scan=True, bad=("ALTER TABLE orders ADD CONSTRAINT x UNIQUE (code)",
    "ALTER TABLE orders ADD COLUMN x text UNIQUE"),
    good=("ALTER TABLE customers ADD CONSTRAINT x UNIQUE USING INDEX customers_email_idx",
    "CREATE TABLE x (a int); ALTER TABLE x ADD UNIQUE (a)"),
)  # fmt: skip
ADD_PRIMARY_KEY = rule(
    "ML-ADD-PK", BLOCKING, "builds the primary key's index on {name} and checks NOT NULL while nobody can use it",
    _USING_INDEX, lock=AX, scan=True, bad=("ALTER TABLE keyless ADD PRIMARY KEY (id)",),
    good=("CREATE TABLE x (a int); ALTER TABLE x ADD PRIMARY KEY (a)", "CREATE TABLE x (a int PRIMARY KEY)"),
)  # fmt: skip
USING_INDEX = rule(
    "ML-USING-INDEX", CONVENTION, "makes an existing index the constraint of {name}: a brief lock",
    "Check pg_index.indisvalid first.", lock=AX,
    bad=("ALTER TABLE customers ADD CONSTRAINT x UNIQUE USING INDEX customers_email_idx",), good=("SELECT 1",),
)  # fmt: skip
PK_NULLABLE = rule(
    "ML-PK-USING-INDEX-NULLABLE", BLOCKING,
    "{column} may be NULL: making it the primary key reads all of {name} under ACCESS EXCLUSIVE",
    "Make the column NOT NULL first (CHECK … NOT VALID, VALIDATE, SET NOT NULL).", lock=AX, scan=True,
    bad=("ALTER TABLE keyless ADD CONSTRAINT x PRIMARY KEY USING INDEX keyless_ref_idx",),
    good=("ALTER TABLE keyless ADD CONSTRAINT x PRIMARY KEY USING INDEX keyless_id_idx",),
)  # fmt: skip
EXCLUDE = rule(
    "ML-EXCLUDE", BLOCKING,
    "builds an exclusion constraint on {name} while nobody can read or write it; it has no online form",
    "A maintenance window, or a new table with the constraint and a copied content.", lock=AX, scan=True,
    bad=("ALTER TABLE orders ADD CONSTRAINT x EXCLUDE USING btree (code WITH =)",),
    good=("CREATE TABLE x (a int, EXCLUDE USING btree (a WITH =))",),
)  # fmt: skip
ADD_FK = rule(
    "ML-ADD-FK", BLOCKING, "checks every row of {name} against {parent} while writers of both wait",
    "{safe}", lock=SRE, scan=True,
    bad=("ALTER TABLE orders ADD CONSTRAINT x FOREIGN KEY (customer_id) REFERENCES customers (id)",),
    good=("ALTER TABLE orders ADD CONSTRAINT x FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID",
          "CREATE TABLE x (a bigint); ALTER TABLE x ADD FOREIGN KEY (a) REFERENCES orders (id)"),
)  # fmt: skip
FK_NOT_VALID = rule(
    "ML-FK-NOT-VALID", CONVENTION,
    "adds a foreign key for new rows only: writers of {name} and {parent} wait briefly",
    "VALIDATE it in another transaction.", lock=SRE,
    bad=("ALTER TABLE orders ADD CONSTRAINT x FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID",),
    good=("SELECT 1",),
)  # fmt: skip
FK_NOT_ENFORCED = rule(
    "ML-FK-NOT-ENFORCED", CONVENTION, "the foreign key of {name} is not enforced: nothing checks it",
    "ENFORCED, if the data must be right.", lock=SRE, versions="18+",
    bad=("ALTER TABLE orders ADD CONSTRAINT x FOREIGN KEY (customer_id) REFERENCES customers (id) NOT ENFORCED",),
    good=("SELECT 1",),
)  # fmt: skip
INLINE_FK = rule(
    "ML-INLINE-FK", BLOCKING,
    "adds a column with a foreign key: readers and writers of {name} and writers of {parent} wait together",
    "ADD COLUMN without REFERENCES; ADD CONSTRAINT … FOREIGN KEY … NOT VALID; VALIDATE in another transaction.",
    lock=AX, bad=("ALTER TABLE orders ADD COLUMN x bigint REFERENCES customers (id)",),
    good=("ALTER TABLE orders ADD COLUMN x bigint", "CREATE TABLE x (a bigint REFERENCES customers (id))"),
)  # fmt: skip
FK_NO_INDEX = rule(
    "ML-FK-NO-INDEX", CONVENTION,
    "{columns} of {name} has no full index: each DELETE on {parent} reads the whole table",
    "CREATE INDEX CONCURRENTLY ON {name} ({columns});",
    bad=("ALTER TABLE orders ADD CONSTRAINT x FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID",),
    good=("SELECT 1",),
)  # fmt: skip
CREATE_FK_PARENT = rule(
    "ML-CREATE-FK-PARENT", CONVENTION, "writers of {parent} wait briefly while a new table refers to it",
    "A short lock_timeout; the runner sets one.", lock=SRE,
    bad=("CREATE TABLE x (a bigint REFERENCES customers (id))",), good=("CREATE TABLE x (a bigint)",),
)  # fmt: skip


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
        _foreign_key(constraint, name, state)
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
    nullable = [column for column in (facts.index_columns.get(constraint["indexname"], ()) if facts else ())
                if facts and not facts.columns[column].not_null]  # fmt: skip
    if primary and nullable:
        state.see(PK_NULLABLE, name=label(name), column=", ".join(nullable))


def _foreign_key(constraint: Node, name: Name, state: State) -> None:
    parent = relation(constraint["pktable"])
    safe = not_valid(state, label(name), constraint.get("conname", ""))
    words = {"name": label(name), "parent": label(parent), "safe": safe}
    if not constraint.get("is_enforced"):
        state.see(FK_NOT_ENFORCED, **words)
    else:
        state.see(FK_NOT_VALID if constraint.get("skip_validation") else ADD_FK, **words)
    columns = strings(constraint.get("fk_attrs", []))
    facts = state.table(name)
    if facts is None or (columns and columns[0] not in facts.indexed):
        state.see(FK_NO_INDEX, columns=", ".join(columns), **words)


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


@on("CreateStmt")
def create_with_parent(node: Node, state: State) -> None:
    """CREATE TABLE … REFERENCES an existing table."""
    parents: dict[Name, None] = {}
    for element in node.get("tableElts", []):
        for item in [element, *element.get("ColumnDef", {}).get("constraints", [])]:
            if "pktable" in item.get("Constraint", {}):
                parents[relation(item["Constraint"]["pktable"])] = None
    for parent in parents:
        if not state.is_new(parent) and parent != relation(node["relation"]):
            state.see(CREATE_FK_PARENT, parent=label(parent))
