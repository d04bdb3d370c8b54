"""Primary keys, unique and exclusion constraints; foreign keys stand by themselves."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, BLOCKING, CONVENTION, Name, label
from migrations_registry.analysis.parsing.comparisons import KEYS
from migrations_registry.analysis.parsing.nodes import relation, strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.rule_registry import on_alter, rule
from migrations_registry.analysis.rules.foreign_keys import INLINE_FK, foreign_key
from migrations_registry.analysis.rules.safe_form import using_index
from migrations_registry.analysis.state import State

ADD_UNIQUE = rule(
    "ML-ADD-UNIQUE",
    BLOCKING,
    "builds a unique index on {name} while nobody can read or write it, and fails if a value is there twice",
    "{safe}",
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
    "builds the primary key's index on {name} while nobody can read or write it, and fails if a value is there "
    "twice or missing",
    "{safe}",
    lock=AX,
    scan=True,
    bad=("ALTER TABLE keyless ADD PRIMARY KEY (id)",),
    good=("CREATE TABLE x (a int); ALTER TABLE x ADD PRIMARY KEY (a)", "CREATE TABLE x (a int PRIMARY KEY)"),
)
USING_INDEX = rule(
    "ML-USING-INDEX",
    CONVENTION,
    "makes an existing index the constraint of {name}: nobody can use it for a moment",
    "Check pg_index.indisvalid first.",
    lock=AX,
    bad=("ALTER TABLE customers ADD CONSTRAINT x UNIQUE USING INDEX customers_email_idx",),
    good=("SELECT 1",),
)
PK_NULLABLE = rule(
    "ML-PK-USING-INDEX-NULLABLE",
    BLOCKING,
    "{column} may be NULL: the primary key reads all of {name} while nobody can read or write it, and fails if one is "
    "there",
    "Make the column NOT NULL first: CHECK … NOT VALID, VALIDATE, SET NOT NULL.",
    lock=AX,
    scan=True,
    bad=(
        "ALTER TABLE keyless ADD CONSTRAINT x PRIMARY KEY USING INDEX keyless_ref_idx",
        "ALTER TABLE void ADD n bigint; CREATE UNIQUE INDEX x ON void (n); "
        "ALTER TABLE void ADD PRIMARY KEY USING INDEX x",
    ),
    good=("ALTER TABLE keyless ADD CONSTRAINT x PRIMARY KEY USING INDEX keyless_id_idx",),
)
EXCLUDE = rule(
    "ML-EXCLUDE",
    BLOCKING,
    "builds an exclusion constraint on {name} while nobody can read or write it, and fails if two rows exclude "
    "each other; there is no way to do it beside running code",
    "A maintenance window; or a new table with the constraint, into which the rows are copied.",
    lock=AX,
    scan=True,
    bad=("ALTER TABLE orders ADD CONSTRAINT x EXCLUDE USING btree (code WITH =)",),
    good=("CREATE TABLE x (a int, EXCLUDE USING btree (a WITH =))",),
)
_UNSEEN = "a column of the index"


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


def _unique(constraint: Node, name: Name, state: State, column: str = "") -> None:
    primary = constraint["contype"] == "CONSTR_PRIMARY"
    if "indexname" not in constraint:
        columns = strings(constraint.get("keys", [])) or [column]
        kind = "PRIMARY KEY" if primary else "UNIQUE"
        safe = using_index(label(name), columns, constraint.get("conname", ""), kind)
        state.see(ADD_PRIMARY_KEY if primary else ADD_UNIQUE, name=label(name), safe=safe)
        return
    state.see(USING_INDEX, name=label(name))
    if primary and (nullable := _nullable(constraint["indexname"], name, state)):
        made = any((name, column) in state.created_columns for column in nullable)
        # The last step of the recipe, which who follows it mostly knows: over what no row lacks by its name, or by an
        # index of an earlier file.
        likely = not state.facts and not made and KEYS.issuperset({*nullable} - {_UNSEEN})
        state.see(PK_NULLABLE, CONVENTION if likely else None, name=label(name), column=", ".join(nullable))


def _nullable(index: str, name: Name, state: State) -> list[str]:
    """Columns of the index that are not known to be NOT NULL."""
    facts = state.table(name)
    columns = state.index_columns.get((name[0], index)) or (facts.index_columns.get(index) if facts else None)
    if not columns:
        return [_UNSEEN]
    required = state.required_columns | {
        (name, column) for column, each in (facts.columns.items() if facts else ()) if each.not_null
    }
    return [column for column in columns if (name, column) not in required]


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
            _unique(constraint, name, state, command["def"]["ColumnDef"]["colname"])


def _is_default(item: Node) -> bool:
    return bool(item["Constraint"]["contype"] == "CONSTR_DEFAULT")
