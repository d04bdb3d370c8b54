"""Triggers, rules, event triggers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from migrations_registry.analysis.calls.events import DELETE, trigger_events
from migrations_registry.analysis.calls.live_routines import live_routines
from migrations_registry.analysis.model import AX, COMPATIBILITY, CONVENTION, SECURITY, SRE, label
from migrations_registry.analysis.parsing.nodes import relation, strings
from migrations_registry.analysis.parsing.parser import Node, ParseError, parse_plpgsql
from migrations_registry.analysis.routines import Routine
from migrations_registry.analysis.rule_registry import on, on_alter, rule
from migrations_registry.analysis.state import State

TRIGGER = rule(
    "ML-TRIGGER",
    CONVENTION,
    "adds or switches a trigger on {name}: its writers wait briefly",
    "A short lock_timeout; the runner sets one.",
    lock=SRE,
    bad=(
        "CREATE TRIGGER x BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch()",
        "ALTER TABLE orders ENABLE TRIGGER orders_touch",
    ),
    good=("CREATE TABLE x (a int)",),
)
DISABLE_TRIGGER = rule(
    "ML-DISABLE-TRIGGER",
    SECURITY,
    "switches triggers of {name} off: what they check or record is silently skipped",
    "Only inside a maintenance window, and ENABLE them in the same transaction.",
    lock=SRE,
    bad=("ALTER TABLE orders DISABLE TRIGGER ALL", "ALTER TABLE orders DISABLE TRIGGER orders_touch"),
    good=("ALTER TABLE orders ENABLE TRIGGER orders_touch",),
)
RULE = rule(
    "MC-RULE",
    COMPATIBILITY,
    "makes or switches a rule of {name}: statements there do, or no longer do, something else than they say, and "
    "nobody sees it",
    "A trigger.",
    lock=AX,
    bad=("CREATE RULE x AS ON DELETE TO orders DO INSTEAD NOTHING", "ALTER TABLE ruled DISABLE RULE ruled_rule"),
    good=("CREATE TRIGGER x BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch()",),
)
TRIGGER_STOPS = rule(
    "MC-TRIGGER-STOPS",
    COMPATIBILITY,
    "from now on {which} {events} of {name} {what} (trigger {trigger})",
    "Deploy code that no longer does it first. RAISE EXCEPTION in place of RETURN NULL tells the writer.",
    lock=SRE,
    bad=(
        "CREATE FUNCTION x() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
        "CREATE TRIGGER x BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION x()",
        "CREATE FUNCTION x() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; RETURN new; END $$; "
        "CREATE TRIGGER x AFTER DELETE OR UPDATE ON orders EXECUTE FUNCTION x()",
        "CREATE FUNCTION x() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN old; END'; "
        "CREATE TRIGGER x BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION x()",
    ),
    good=(
        "CREATE FUNCTION x() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
        "CREATE TRIGGER x AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION x()",
        "CREATE FUNCTION x() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.id > 0 THEN RETURN new; END IF; "
        "RAISE EXCEPTION 'no'; END $$; CREATE TRIGGER x BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION x()",
        "CREATE FUNCTION x() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$; CREATE TABLE "
        "y (a int); CREATE TRIGGER x BEFORE UPDATE ON y FOR EACH ROW EXECUTE FUNCTION x()",
    ),
)
EVENT_TRIGGER = rule(
    "MC-EVENT-TRIGGER",
    COMPATIBILITY,
    "makes or switches event trigger {name}: what it does at each change of the schema begins, or ends",
    "Leave it to the platform.",
    bad=("CREATE EVENT TRIGGER x ON ddl_command_end EXECUTE FUNCTION watch()",),
    good=("SELECT 1",),
)
RAISES, _BY_EVENT = "raises", "by tg_op"
_RETURNED = re.compile(r"\breturn\s+(?!null\b)(\w+)\s*;", re.IGNORECASE)
_TEXT = re.compile(r"'(?:[^']|'')*+'?|--[^\n]*|/\*(?:[^*]|\*(?!/))*+(?:\*/)?")
_BEFORE, _ERROR = 2, 21  # catalog/pg_trigger.h, utils/elog.h


@on("CreateTrigStmt")
def create_trigger(node: Node, state: State) -> None:
    """CREATE TRIGGER."""
    name = relation(node["relation"])
    state.replaced.discard(("trigger", name, node["trigname"]))
    if not state.is_new(name):
        state.see(TRIGGER, name=label(name))
        function = strings(node["funcname"])[-1]
        known = state.routines.get(function) or live_routines(function, state)
        bodies = [ways_out(each) for each in known if each.language == "plpgsql"]
        told: dict[tuple[str, str], list[str]] = {}
        for event in sorted(trigger_events(node["events"])):
            told.setdefault(_stopped(event, node, bodies), []).append(event)
        told.pop(("", ""), None)
        for (which, what), events in told.items():
            words = {"events": " and ".join(events), "what": what, "trigger": node["trigname"]}
            state.see(TRIGGER_STOPS, which=which, name=label(name), **words)


def _stopped(event: str, node: Node, bodies: list[list[str]]) -> tuple[str, str]:
    """Which writes fail or are left out, and how; a check that refuses some rows is what triggers are for."""
    nothing = {"NULL", "NEW" if event == DELETE else "OLD"}
    always = "whenClause" not in node and "columns" not in node and all(len(ways) == 1 for ways in bodies)
    if always and {*itertools.chain(*bodies)} == {RAISES}:
        return "every", "fails, whatever the row holds"
    skips = node.get("row") and node.get("timing", 0) & _BEFORE
    if not skips or all(nothing.isdisjoint(ways) for ways in bodies):
        return "", ""
    always = always and all(nothing.issuperset(ways) for ways in bodies)
    return ("every", "is silently left out, whatever the row holds") if always else ("some", "is silently left out")


def ways_out(routine: Routine) -> list[str]:
    """What the body may give back, in the order of its text, up to a RAISE that every row meets."""
    try:
        block = parse_plpgsql(routine.statement)["action"]["PLpgSQL_stmt_block"]
    except (ParseError, KeyError):
        return []
    text = _TEXT.sub(" ", routine.body)
    variables = iter(_RETURNED.findall(text))
    ways: list[str] = []
    for item in (*block["body"], block.get("exceptions", {})):
        raised = item.get("PLpgSQL_stmt_raise", {})
        if raised.get("elog_level", 0) >= _ERROR and "exceptions" not in block:
            return [*ways, RAISES]
        for found in _returns(item):
            given = found.get("expr", {}).get("PLpgSQL_expr", {}).get("query", "")
            ways.append((given or next(variables, "")).upper())
    is_shared = len(ways) > 1 and "tg_op" in text.lower()  # each event has its own way out
    return [_BY_EVENT if is_shared and way in ("NEW", "OLD") else way for way in ways]


def _returns(tree: Node) -> Iterator[Node]:
    """Every RETURN, as they stand one after the other."""
    stack: list[object] = [tree]
    while stack:
        current = stack.pop()
        if isinstance(current, dict):
            if "PLpgSQL_stmt_return" in current:
                yield current["PLpgSQL_stmt_return"]
            stack += reversed(current.values())
        elif isinstance(current, list):
            stack += reversed(current)


@on_alter("EnableTrig", "EnableTrigAll", "EnableTrigUser", "EnableAlwaysTrig")
def enable(command: Node, alter: Node, state: State) -> None:
    """ENABLE TRIGGER."""
    if not state.is_new_relation(alter["relation"]):
        state.see(TRIGGER, name=label(relation(alter["relation"])))


@on_alter("DisableTrig", "DisableTrigAll", "DisableTrigUser", "EnableReplicaTrig")
def disable(command: Node, alter: Node, state: State) -> None:
    """DISABLE TRIGGER; ENABLE REPLICA TRIGGER silences it for ordinary sessions."""
    state.see(DISABLE_TRIGGER, name=label(relation(alter["relation"])))


@on("RuleStmt")
def create_rule(node: Node, state: State) -> None:
    """CREATE RULE."""
    if not state.is_new_relation(node["relation"]):
        state.see(RULE, name=label(relation(node["relation"])))


@on_alter("EnableRule", "DisableRule", "EnableAlwaysRule", "EnableReplicaRule")
def switch_rule(command: Node, alter: Node, state: State) -> None:
    """ENABLE or DISABLE RULE."""
    if not state.is_new_relation(alter["relation"]):
        state.see(RULE, name=label(relation(alter["relation"])))


@on("CreateEventTrigStmt", "AlterEventTrigStmt")
def event_trigger(node: Node, state: State) -> None:
    """CREATE, ALTER EVENT TRIGGER."""
    state.see(EVENT_TRIGGER, name=node["trigname"])
