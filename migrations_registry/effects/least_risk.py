"""How much must have been voted on for each effect, whatever its file was called: the guard's own table of risks.

In: effects that happened, thresholds. Out: those above a voted risk. As strict as the analysis is about the statements
that do the same, so that an honest file never meets it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from migrations_registry.analysis.model import DESTRUCTIVE
from migrations_registry.analysis.risk import RISKS, ROUTINE, SENSITIVE, Policy
from migrations_registry.effects.compare import ANYTHING, is_carried
from migrations_registry.effects.model import (
    ALTERED,
    CREATED,
    DROPPED,
    OFF,
    OPENS,
    REWRITTEN,
    ROWS,
    SAME,
    TAKES,
    TRUNCATED,
    Effect,
)
from migrations_registry.effects.text.tables import rules

SETS = {
    "DATA": "table,table column,foreign table,foreign table column,materialized view,large object",
    "TABLES": "table,foreign table",
    "ACCESS": "policy,role,pg_user_mapping,server,foreign-data wrapper,language",
    "CALLED": "table,table column,view,view column,materialized view,foreign table,composite type,"
    "composite type column,type,function,procedure,aggregate,schema,sequence",
    "HEARD": "publication,publication relation,publication namespace",
}
TABLE = """
destructive | deleted, truncated           | TABLES |
destructive | dropped                      | DATA |
destructive | dropped                      | ACCESS |
destructive | created, altered             | server, foreign-data wrapper, pg_user_mapping |
destructive | altered                      | policy | definition, name
destructive | altered                      | role | attributes, password
destructive | altered                      | | owner, row security, security label
destructive | altered                      | large object, database |
destructive | set back                     | sequence |
sensitive   | dropped                      | |
sensitive   | rewritten, truncated         | table, materialized view |
sensitive   | altered                      | CALLED | name, schema
sensitive   | created, altered             | rule, event trigger |
sensitive   | altered                      | HEARD | definition, name
sensitive   | altered                      | table, index | partition, replica identity, inheritance, persistence
sensitive   | altered                      | role, settings of all roles | settings
sensitive   | altered                      | | extension, version
"""
_SETS = {name: frozenset(kinds.split(",")) for name, kinds in SETS.items()}
_TABLE = rules(TABLE, _SETS)
_BY_SIGN = {OPENS: DESTRUCTIVE, OFF: DESTRUCTIVE, TAKES: SENSITIVE}
PASSING = ROWS | {TRUNCATED}
_REPLACED = frozenset({"function", "procedure", "aggregate", "trigger", "view", "rule", "type", "index", "operator"})


def beyond(happened: Iterable[Effect], voted: str, limits: Policy) -> list[Effect]:
    """The effects for which more people, or people who were told more, should have been asked."""
    effects = list(happened)
    above = [each for each in effects if RISKS.index(_risk(each, effects, limits)) > RISKS.index(voted)]
    return [each for each in above if not is_carried(each, effects, ANYTHING)]


def _risk(effect: Effect, beside: list[Effect], limits: Policy) -> str:
    """What was dropped and made again under its name is changed; but a trigger was away, or off, while rows went by."""
    is_away = effect.kind == "trigger" and (effect.verb == DROPPED or SAME in effect.signs)
    if is_away and any(each.verb in PASSING and each.name == effect.name[:-1] for each in beside):
        return DESTRUCTIVE
    if effect.verb != DROPPED:
        return least_risk(effect, limits)
    if SAME in effect.signs:
        return ROUTINE
    made = [each for each in beside if (each.verb, each.kind, each.name) == (CREATED, effect.kind, effect.name)]
    if made and effect.kind in _REPLACED:
        return least_risk(replace(effect, verb=ALTERED, aspects=frozenset({"definition"})), limits)
    return least_risk(effect, limits)


def least_risk(effect: Effect, limits: Policy) -> str:
    """Of one effect, whatever happened beside it."""
    if effect.verb == DROPPED and effect.kind == "sequence" and not _is_owned(effect):
        return DESTRUCTIVE
    if effect.verb == REWRITTEN and (effect.rows > limits.rows or effect.size_bytes > limits.bytes):
        return DESTRUCTIVE
    named = [risk for risk in (DESTRUCTIVE, SENSITIVE) if any(_fits(effect, *rule) for rule in _TABLE[risk])]
    return max([ROUTINE, *named, *(_BY_SIGN.get(sign, ROUTINE) for sign in effect.signs)], key=RISKS.index)


def _is_owned(sequence: Effect) -> bool:
    """One that only numbers the rows of a table: it goes with what it numbers."""
    return any(owner[0] == "table" for owner in sequence.owners)


def _fits(effect: Effect, verbs: frozenset[str], kinds: frozenset[str], aspects: frozenset[str]) -> bool:
    if effect.verb not in verbs or (kinds and effect.kind not in kinds):
        return False
    return not aspects or bool(aspects & effect.aspects)
