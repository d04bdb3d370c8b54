"""Triggers, rules, event triggers."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, COMPATIBILITY, CONVENTION, SECURITY, SRE
from migrations_registry.analysis.parsing.nodes import label, relation
from migrations_registry.analysis.parsing.parser import Node
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
    "a rule on {name} makes statements do something else than they say, invisibly",
    "A trigger.",
    lock=AX,
    bad=("CREATE RULE x AS ON DELETE TO orders DO INSTEAD NOTHING", "ALTER TABLE ruled DISABLE RULE ruled_rule"),
    good=("CREATE TRIGGER x BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch()",),
)
EVENT_TRIGGER = rule(
    "MC-EVENT-TRIGGER",
    COMPATIBILITY,
    "an event trigger runs on every later schema change",
    "Leave it to the platform.",
    bad=("CREATE EVENT TRIGGER x ON ddl_command_end EXECUTE FUNCTION watch()",),
    good=("SELECT 1",),
)


@on("CreateTrigStmt")
def create_trigger(node: Node, state: State) -> None:
    """CREATE TRIGGER."""
    name = relation(node["relation"])
    if not state.is_new(name):
        state.see(TRIGGER, name=label(name))


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
    state.see(EVENT_TRIGGER)
