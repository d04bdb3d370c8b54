"""Another type of an existing column: what is written, checked or built again, and which values are lost."""

from __future__ import annotations

from migrations_registry.analysis.facts import ColumnFacts, TableFacts
from migrations_registry.analysis.model import AX, BLOCKING, CONVENTION, DESTRUCTIVE, REWRITE, Name, label
from migrations_registry.analysis.parsing.nodes import (
    constant,
    dotted,
    full_type,
    function_name,
    inner_nodes,
    keys_in,
    modifiers,
    relation,
    strings,
)
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.type_changes import Change, change, is_builtin_type, parse_type
from migrations_registry.analysis.rule_registry import on_alter, rule
from migrations_registry.analysis.state import State

_UNLESS = "unless both are stored alike and no check or index hangs on it, "
_SWAP = (
    "Deploy by deploy: add a column of the new type with a trigger that copies each change to it; fill it in batches; "
    "let code use it; drop the old one."
)
TYPE_CHANGE = rule(
    "ML-TYPE-CHANGE",
    REWRITE,
    "changes {column} of {name} {known} to {type}: {unless}{name} and its indexes are written anew while nobody can "
    "use them",
    _SWAP,
    lock=AX,
    rewrite=True,
    scan=True,
    bad=("ALTER TABLE orders ALTER COLUMN customer_id TYPE numeric",),
    good=("CREATE TABLE x (a int); ALTER TABLE x ALTER COLUMN a TYPE bigint", "ALTER TABLE orders ADD COLUMN x text"),
)
TYPE_SAFE = rule(
    "ML-TYPE-SAFE",
    CONVENTION,
    "{column} of {name} becomes {type} without touching a row: nobody can use the table for a moment",
    "Nothing to do.",
    lock=AX,
    versions="timestamp → timestamptz only while TimeZone is UTC",
    bad=("ALTER TABLE orders ALTER COLUMN code TYPE varchar(80)",),
    good=("ALTER TABLE orders ALTER COLUMN customer_id TYPE numeric",),
)
NARROW = rule(
    "MD-ALTER-NARROW",
    DESTRUCTIVE,
    "narrows {column} of {name} to {type}: values that do not fit fail or are cut, and what is cut off does not "
    "come back",
    _SWAP,
    lock=AX,
    rewrite=True,
    scan=True,
    bad=(
        "ALTER TABLE orders ALTER COLUMN code TYPE varchar(10)",
        "ALTER TABLE orders ALTER COLUMN note TYPE varchar(3) USING substr(note, 1, 3)",
    ),
    good=("ALTER TABLE orders ALTER COLUMN code TYPE text",),
)
TYPE_REMADE = rule(
    "ML-TYPE-REMADE",
    BLOCKING,
    "{column} of {name} is stored as before, but for {type} {remade} must be checked or built again, and nobody can "
    "read or write {name} meanwhile",
    _SWAP,
    lock=AX,
    scan=True,
    bad=(
        'ALTER TABLE customers ALTER COLUMN email TYPE text COLLATE "C"',
        "ALTER TABLE stamped ALTER COLUMN code TYPE varchar(80)",
        "ALTER TABLE stamped ALTER COLUMN at TYPE timestamptz",
    ),
    good=(
        "ALTER TABLE orders ALTER COLUMN code TYPE varchar(80)",
        'ALTER TABLE orders ALTER COLUMN code TYPE varchar(80) COLLATE "default"',
    ),
)
# Other types that are stored like one of these are found by the same index too.
_SORTED_ALIKE = ("text", "varchar", "cidr")
# What they leave of a value is not the value.
_CUTTING = """substr substring left right split_part trunc round floor ceil ceiling date_trunc date_part extract md5
sha224 sha256 sha384 sha512 lower upper regexp_replace translate btrim ltrim rtrim overlay coalesce length"""
_CUTS = frozenset(_CUTTING.split())
# One value for several, or a part of it: nobody can tell from the new one what the old one was.
_CHOOSES = {"CaseExpr", "CoalesceExpr", "MinMaxExpr", "NullTest", "BooleanTest", "BoolExpr", "A_Indirection", "SubLink"}
_KEEPING = (["||"], ["+"], ["-"], ["*"])


@on_alter("AlterColumnType")
def alter_type(command: Node, alter: Node, state: State) -> None:
    """ALTER COLUMN … TYPE: with the old type from a live catalog exact, without it cautious."""
    name, column = relation(alter["relation"]), command["name"]
    if state.is_new(name):
        return
    definition = command["def"]["ColumnDef"]
    facts, wanted = state.table(name), definition["typeName"]
    before = _type_before(name, column, state)
    words = {"name": label(name), "column": column, "type": _spelled(wanted)}
    utc = state.facts is not None and state.facts.timezone.upper() in ("UTC", "ETC/UTC", "GMT")
    stored = _stored(wanted, state)
    outcome = change(before, _full(stored), modifiers(stored), utc and not state.time_zone_set)
    expression = definition.get("raw_default", {})
    converts = bool(expression) and not _is_plain(expression, column, wanted)
    if outcome is Change.SAFE and not converts:
        remade = _remade(facts, name, definition, column, state) if facts else []
        state.see(TYPE_REMADE if remade else TYPE_SAFE, remade=", ".join(remade), **words)
    else:
        state.see(TYPE_CHANGE, known=_known(before), unless="" if before else _UNLESS, **words)
        if outcome is Change.NARROWS or (converts and _loses(expression, column, before)):
            state.see(NARROW, **words)
    state.retyped[name, column] = _spelled(stored)


def _type_before(name: Name, column: str, state: State) -> str | None:
    """As the file itself left it, else as the live catalog has it."""
    facts, key = state.table(name), (name, column)
    known = facts.columns.get(column) if facts else None
    made = state.column_types.get(key) if key in state.created_columns else None
    return state.retyped.get(key) or made or (known.type if known else None)


def _known(before: str | None) -> str:
    return f"from {before}" if before else "from a type that is not known here"


def _stored(wanted: Node, state: State) -> Node:
    """The type that a domain of the file stands for, if no value can be refused; else the type itself."""
    base = state.plain_domains.get(dotted(strings(wanted["names"])))
    return wanted if base is None or "arrayBounds" in wanted or is_builtin(wanted) else _stored(base, state)


def is_builtin(wanted: Node) -> bool:
    """Named without a schema it is PostgreSQL's own, whatever else goes by that name."""
    return len(wanted["names"]) == 1 and is_builtin_type(dotted(strings(wanted["names"])))


def _full(wanted: Node) -> str:
    """A type of another schema than PostgreSQL's keeps its schema: public.text is not text."""
    schema, name = dotted(strings(wanted["names"]))
    is_foreign = len(wanted["names"]) > 1 and schema != "pg_catalog"
    return f"{schema}.{name}{'[]' * len(wanted.get('arrayBounds', []))}" if is_foreign else full_type(wanted)


def _is_plain(expression: Node, column: str, wanted: Node) -> bool:
    """USING column, or USING column::the new type: what PostgreSQL would do anyway."""
    if "TypeCast" in expression:
        cast = expression["TypeCast"]
        same = full_type(cast["typeName"]) == full_type(wanted) and modifiers(cast["typeName"]) == modifiers(wanted)
        return same and "ColumnRef" in cast["arg"] and _is_plain(cast["arg"], column, wanted)
    return "ColumnRef" in expression and strings(expression["ColumnRef"]["fields"])[-1:] == [column]


def _loses(expression: Node, column: str, before: str | None) -> bool:
    """USING without the column, with a function that keeps only part of a value, or by way of a narrower type."""
    nodes = inner_nodes({"": expression})
    columns = [strings(node["fields"])[-1:] for kind, node in nodes if kind == "ColumnRef"]
    casts = [node["typeName"] for kind, node in nodes if kind == "TypeCast"] if before else []
    return (
        [column] not in columns
        or any(kind == "FuncCall" and function_name(node) in _CUTS for kind, node in nodes)
        or any(kind == "A_Expr" and not _keeps(node) for kind, node in nodes)
        or not _CHOOSES.isdisjoint(keys_in(expression))
        or any(change(before, full_type(cast), modifiers(cast), utc=True) is Change.NARROWS for cast in casts)
    )


def _keeps(node: Node) -> bool:
    """Sums and joined texts; NULLIF(x, ''), because an empty text is no value of another type."""
    empty = node["kind"] == "AEXPR_NULLIF" and constant(node["rexpr"].get("A_Const", {"sval": {"sval": "?"}})) == ""
    return empty or (node["kind"] == "AEXPR_OP" and strings(node["name"])[-1:] in _KEEPING)


def _remade(facts: TableFacts, name: Name, definition: Node, column: str, state: State) -> list[str]:
    """Checks and indexes over the column: each is told by its name."""
    known = facts.columns.get(column, ColumnFacts(""))
    clause = definition.get("collClause", {}).get("collname", [])
    collation = (strings(clause) or [""])[-1]
    before = parse_type(known.type)[0]
    others = before != _full(_stored(definition["typeName"], state)) and before not in _SORTED_ALIKE
    rebuilt = (collation if collation != "default" else "") != known.collation or others
    rebuilt = rebuilt or (name, column) in state.retyped
    plain = [f"index {index}" for index, columns in facts.index_columns.items() if column in columns]
    return sorted({*facts.remade.get(column, ()), *(plain if rebuilt else ())})


def _spelled(node: Node) -> str:
    """As `format_type` writes it, but for the short names."""
    sizes = ",".join(str(size) for size in modifiers(node))
    name, brackets = _full(node).partition("[]")[0], "[]" * len(node.get("arrayBounds", []))
    return f"{name}({sizes}){brackets}" if sizes else f"{name}{brackets}"
