"""One walk over a file: each statement judged with what the statements before it made known."""

from __future__ import annotations

from migrations_registry.analysis import rules  # noqa: F401  enlists the catalogue
from migrations_registry.analysis.cost import with_duration
from migrations_registry.analysis.dispatch import judge
from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.model import CONVENTION, OPAQUE, Analysis, Finding, Statement, Touched
from migrations_registry.analysis.parsing.dump_header import switched_off
from migrations_registry.analysis.parsing.parser import Raw, Unparsed, parse
from migrations_registry.analysis.prescan import look_ahead
from migrations_registry.analysis.risk import DEFAULT_POLICY, Policy, is_transactional, risk_of
from migrations_registry.analysis.rule_registry import rule
from migrations_registry.analysis.rules.file_texts import note_left_out, note_way_back
from migrations_registry.analysis.rules.transactions import MARKS
from migrations_registry.analysis.state import State

UNPARSED = rule(
    "MP-UNPARSED",
    OPAQUE,
    "PostgreSQL 18's grammar refuses this text, so nobody can tell what it would do: {reason}",
    "Write it in the grammar of the target's version.",
    bad=("DROP TABEL x", "REPACK orders", "SELECT 'unfinished"),
    good=("SELECT 1",),
)
META = rule(
    "MP-META",
    OPAQUE,
    "a psql command: only psql understands it, and what it would do or skip nobody can tell here",
    "Plain SQL.",
    bad=("\\i other.sql",),
    good=("SELECT '\\i other.sql'",),
)
LEFT_OUT = rule(
    "MT-DUMP-HEADER",
    CONVENTION,
    "{name} = 0 is left out: the runner keeps its own limits",
    "Nothing to do.",
    bad=("SET lock_timeout = 0; SET standard_conforming_strings = on; SET check_function_bodies = false; SELECT 1",),
    good=("SET standard_conforming_strings = on; SELECT 1",),
)
ASSUMED_VERSION = 17


def analyse(
    data: bytes,
    *,
    pg_version: int | None = None,
    assume_in_transaction: bool = False,
    as_runner: bool = False,
    facts: CatalogFacts | None = None,
    policy: Policy = DEFAULT_POLICY,
) -> Analysis:
    """Judge a file. Never raises for any bytes: what cannot be read comes back as an opaque finding.

    `pg_version`: the target's; else the one of the live facts, or 17.
    `as_runner`: as the registry applies it, in transactions between the statements that must run alone.
    """
    pieces = parse(data)
    raws = [item for item in pieces if isinstance(item, Raw)]
    version = pg_version or (facts.server_version if facts else ASSUMED_VERSION)
    state = State(pg_version=version, assume_in_transaction=assume_in_transaction or as_runner, facts=facts)
    look_ahead(raws, data, state)
    frame = _frame(pieces, raws)
    left_out = switched_off(pieces, by_runner=as_runner)
    lone_outsider = len(pieces) == 1 and bool(raws) and not is_transactional(raws[0].kind, raws[0].node)
    split = as_runner and not frame
    if assume_in_transaction and not as_runner and not frame and not lone_outsider:
        state.begin()
    statements, line, position = [], 1, 0
    for index, item in enumerate(pieces):
        line += data.count(b"\n", position, item.start)
        position = item.start
        is_frame = index in frame or index in left_out
        joins = not isinstance(item, Raw) or is_transactional(item.kind, item.node)
        if split:
            _segment(joins, state)
        statements.append(_statement(item, data, line, is_frame, index in frame[:1], joins, state))
    note_left_out(data, statements)
    note_way_back(data, statements)
    return Analysis(tuple(statements), risk_of(statements, facts, policy))


def _segment(joins: bool, state: State) -> None:
    """A statement that runs alone ends the runner's transaction; the next one that may, opens another."""
    if state.in_transaction != joins:
        state.begin() if joins else state.end()


def _frame(pieces: list[Raw | Unparsed], raws: list[Raw]) -> tuple[int, ...]:
    """The places of the one BEGIN … COMMIT around everything but settings of the session; empty if there is none."""
    named = [(index, raw.node["kind"]) for index, raw in enumerate(raws) if raw.kind == "TransactionStmt"]
    kinds = [each for each in named if each[1].removeprefix("TRANS_STMT_") not in MARKS]
    if len(kinds) != 2 or len(pieces) != len(raws):
        return ()
    (first, opens), (last, closes) = kinds
    if last != len(raws) - 1 or opens not in ("TRANS_STMT_BEGIN", "TRANS_STMT_START") or closes != "TRANS_STMT_COMMIT":
        return ()
    return (first, last) if all(map(_sets_the_session, raws[:first])) else ()


def _sets_the_session(item: Raw) -> bool:
    """Whether it does the same before a transaction as in it."""
    if item.kind != "VariableSetStmt" or item.node.get("is_local"):
        return False
    plain = item.node["kind"] in ("VAR_SET_VALUE", "VAR_SET_DEFAULT", "VAR_RESET")
    return plain and not item.node["name"].lower().startswith(("transaction_", "default_transaction_"))


def _statement(
    item: Raw | Unparsed, data: bytes, line: int, is_frame: bool, opens: bool, joins: bool, state: State
) -> Statement:
    """`opens`: it begins the file's transaction; `joins`: it may run in a transaction."""
    text = data[item.start : item.end].decode("utf-8", "replace").rstrip()
    state.findings, state.touched, state.source, state.loops = [], {}, text, 0
    kind = "Unparsed"
    if isinstance(item, Unparsed):
        _unparsed(item, data, state)
    elif is_frame and item.kind == "VariableSetStmt":
        kind = item.kind
        state.see(LEFT_OUT, name=item.node["name"])
    elif is_frame:
        kind = item.kind
        state.begin() if opens else state.end()
    else:
        kind = item.kind
        _judge(item, state)
        if not state.in_transaction:
            state.end()
    objects = tuple(state.touched.values())
    unique = {(finding.rule, finding.message): finding for finding in state.findings}
    if state.facts is not None:
        unique = {key: with_duration(finding, objects, state.facts) for key, finding in unique.items()}
    if state.perhaps_created:
        unique = {key: _if_it_was_there(finding, objects, state) for key, finding in unique.items()}
    end_line = line + text.count("\n")
    return Statement(
        kind,
        item.start,
        item.end,
        line,
        end_line,
        text,
        tuple(unique.values()),
        objects,
        joins,
        is_frame,
    )


def _if_it_was_there(finding: Finding, objects: tuple[Touched, ...], state: State) -> Finding:
    """Who waits for a table that the file makes only if it is not there, waits only if it was."""
    older = [each for each in objects if not each.is_new]
    unsure = all(each.name in state.perhaps_created and not state.table(each.name) for each in older)
    if not (older and unsure and finding.lock):
        return finding
    return finding._replace(message=f"if {', '.join(each.label for each in older)} was there before: {finding.message}")


def _judge(item: Raw, state: State) -> None:
    state.identities.note(item.node)
    try:
        judge(item.kind, item.node, state)
    except RecursionError:
        state.see(UNPARSED, reason="the statement is nested too deeply to be analysed")


def _unparsed(item: Unparsed, data: bytes, state: State) -> None:
    state.see(UNPARSED, reason=item.reason.replace("{", "(").replace("}", ")"))
    first = data.rfind(b"\n", 0, item.position) + 1
    if data[first : item.position + 1].lstrip().startswith(b"\\"):
        state.see(META)
