"""Triggers, rules, event triggers."""

from __future__ import annotations

import re

from migrations_registry.analysis.calls.events import DELETE, trigger_events
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
    "from now on every {events} of {name} {what}, whatever the row holds (trigger {trigger})",
    "Deploy code that no longer does it first.",
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
_RETURNED = re.compile(r"\breturn\s+(\w+)")
_BEFORE, _ERROR = 2, 21  # catalog/pg_trigger.h, utils/elog.h


@on("CreateTrigStmt")
def create_trigger(node: Node, state: State) -> None:
    """CREATE TRIGGER."""
    name = relation(node["relation"])
    state.replaced.discard(("trigger", name, node["trigname"]))
    if not state.is_new(name):
        state.see(TRIGGER, name=label(name))
        known = state.routines.get(strings(node["funcname"])[-1], [])
        ends = {end_of(each) for each in known if each.language == "plpgsql"} if "whenClause" not in node else set()
        skips = node.get("row") and node.get("timing", 0) & _BEFORE
        left_out = ends == {"NULL"} or (ends == {"OLD"} and DELETE not in trigger_events(node["events"]))
        what = "fails" if ends == {"raise"} else "is silently left out" if left_out and skips else ""
        if what and "columns" not in node:
            events = " and ".join(sorted(trigger_events(node["events"])))
            state.see(TRIGGER_STOPS, events=events, name=label(name), what=what, trigger=node["trigname"])


def end_of(routine: Routine) -> str:
    """How the body ends for every row: "raise", what RETURN gives; empty where it depends or is not known."""
    try:
        body = parse_plpgsql(routine.statement)["action"]["PLpgSQL_stmt_block"]["body"]
    except (ParseError, KeyError):
        return ""
    for item in body:
        kind, node = next(iter(item.items()))
        if kind == "PLpgSQL_stmt_raise" and node["elog_level"] >= _ERROR:
            return "raise"
        if kind == "PLpgSQL_stmt_return" and "expr" not in node:
            return "OLD" if set(_RETURNED.findall(routine.body.lower())) == {"old"} else ""
        if kind == "PLpgSQL_stmt_return":
            return str(node.get("expr", {}).get("PLpgSQL_expr", {}).get("query", "")).upper()
        if "PLpgSQL_stmt_return" in str(node):
            return ""
    return ""


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
    state.see(RULE, name=label(relation(node["relation"])))


@on_alter("EnableRule", "DisableRule", "EnableAlwaysRule", "EnableReplicaRule")
def switch_rule(command: Node, alter: Node, state: State) -> None:
    """ENABLE or DISABLE RULE."""
    state.see(RULE, name=label(relation(alter["relation"])))


@on("CreateEventTrigStmt", "AlterEventTrigStmt")
def event_trigger(node: Node, state: State) -> None:
    """CREATE, ALTER EVENT TRIGGER."""
    state.see(EVENT_TRIGGER, name=node["trigname"])
