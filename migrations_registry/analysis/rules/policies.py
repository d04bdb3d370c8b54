"""Row-level security."""

from __future__ import annotations

from migrations_registry.analysis.model import AX, COMPATIBILITY, CONVENTION, SECURITY, label
from migrations_registry.analysis.parsing.conditions import asks_nothing
from migrations_registry.analysis.parsing.nodes import dotted, inner_nodes, relation, strings
from migrations_registry.analysis.parsing.parser import Node
from migrations_registry.analysis.postgresql.builtin_functions import is_volatile
from migrations_registry.analysis.rule_registry import on, on_alter, rule
from migrations_registry.analysis.rules.answers import METADATA, chosen_by_caller, says_yes
from migrations_registry.analysis.rules.grants import role_names, told
from migrations_registry.analysis.state import State

RLS_DISABLE = rule(
    "MS-RLS-DISABLE",
    SECURITY,
    "row security of {name} is {what}: its policies no longer keep rows from {whom}",
    "Keep it on; write a policy for the exception.",
    lock=AX,
    bad=("ALTER TABLE orders DISABLE ROW LEVEL SECURITY", "ALTER TABLE orders NO FORCE ROW LEVEL SECURITY"),
    good=("CREATE TABLE x (a int); ALTER TABLE x ENABLE ROW LEVEL SECURITY",),
)
RLS_ENABLE = rule(
    "MS-RLS-ENABLE",
    SECURITY,
    "{name} has readers now: with row security on, whatever no policy allows is hidden from them at once",
    "Create the policies in the same transaction, before ENABLE.",
    lock=AX,
    bad=("ALTER TABLE orders ENABLE ROW LEVEL SECURITY",),
    good=("CREATE TABLE x (a int); ALTER TABLE x ENABLE ROW LEVEL SECURITY",),
)
DROP_POLICY = rule(
    "MS-DROP-POLICY",
    SECURITY,
    "drops policy {policy} of {name}: who sees which rows changes",
    "Drop and create it in the same transaction.",
    lock=AX,
    bad=("DROP POLICY orders_read ON orders",),
    good=("DROP POLICY orders_read ON orders; CREATE POLICY orders_read ON orders FOR SELECT USING (id > 0)",),
)
ALTER_POLICY = rule(
    "MS-ALTER-POLICY",
    SECURITY,
    "changes policy {policy} of {name}: who sees which rows changes",
    "Show the old and the new condition to the reviewer.",
    lock=AX,
    bad=("ALTER POLICY orders_read ON orders USING (id > 1)", "ALTER POLICY orders_read ON orders RENAME TO x"),
    good=("SELECT 1",),
)
POLICY_TRUE = rule(
    "MS-POLICY-TRUE",
    SECURITY,
    "policy {policy} of {name} lets {roles} {verb} {rows}",
    "A condition that compares the row with the caller: USING (user_id = auth.uid()).",
    bad=(
        "CREATE POLICY x ON orders FOR ALL TO public USING (true)",
        "CREATE POLICY x ON orders FOR INSERT TO anon WITH CHECK (true)",
        "CREATE POLICY x ON orders FOR UPDATE USING (id > 0) WITH CHECK (true)",
        "CREATE POLICY x ON orders FOR SELECT TO anon USING (true)",
        "CREATE POLICY x ON orders FOR DELETE TO authenticated USING (id IS NOT NULL)",
        "CREATE POLICY x ON orders FOR INSERT WITH CHECK (length(note) < 80)",
        "CREATE POLICY x ON orders TO authenticated USING (note = 'open')",
    ),
    good=(
        "CREATE POLICY x ON orders FOR ALL TO service_role USING (true)",
        "CREATE TABLE x (a int); CREATE POLICY p ON x FOR SELECT TO anon USING (true)",
        "CREATE POLICY x ON orders FOR UPDATE USING (auth.role() = 'service_role')",
        "CREATE POLICY x ON orders FOR UPDATE USING (auth.uid() IS NOT NULL AND note = 'x')",
        "CREATE POLICY x ON orders FOR ALL USING (note = current_user)",
        "CREATE POLICY x ON orders FOR UPDATE USING (note = current_setting('app.user'))",
        "CREATE POLICY x ON orders FOR DELETE USING (customer_id IN (SELECT id FROM customers))",
        "CREATE POLICY x ON orders FOR INSERT TO authenticated WITH CHECK (note = 'open')",
        "CREATE POLICY x ON orders FOR SELECT USING (note = 'open')",
    ),
)
CREATE_POLICY = rule(
    "MS-CREATE-POLICY",
    CONVENTION,
    "creates policy {policy} on {name}{narrows}",
    "Nothing to do.",
    lock=AX,
    bad=("CREATE POLICY x ON orders FOR SELECT USING (id > 0)",),
    good=("CREATE TABLE x (a int); CREATE POLICY p ON x AS RESTRICTIVE USING (a > 0)",),
)
POLICY_RECURSES = rule(
    "MC-POLICY-RECURSES",
    COMPATIBILITY,
    "policy {policy} of {name} reads {name} itself: with row security on, every statement that it holds for fails "
    "(infinite recursion)",
    "Ask in a SECURITY DEFINER function of a schema that the API does not serve, and call that in the policy.",
    bad=("CREATE POLICY x ON orders USING (id IN (SELECT id FROM orders WHERE customer_id = 4))",),
    good=(
        "CREATE POLICY x ON orders USING (customer_id IN (SELECT id FROM customers))",
        "CREATE POLICY x ON orders FOR DELETE USING (id IN (SELECT id FROM orders WHERE customer_id = 4))",
    ),
)
_WIDE = {"anon", "authenticated"}


@on_alter("DisableRowSecurity", "NoForceRowSecurity")
def disable(command: Node, alter: Node, state: State) -> None:
    """DISABLE and NO FORCE ROW LEVEL SECURITY."""
    off = command["subtype"] == "AT_DisableRowSecurity"
    words = ("off", "anybody") if off else ("no longer forced", "the owner")
    state.see(RLS_DISABLE, name=label(relation(alter["relation"])), what=words[0], whom=words[1])


@on_alter("EnableRowSecurity", "ForceRowSecurity")
def enable(command: Node, alter: Node, state: State) -> None:
    """ENABLE ROW LEVEL SECURITY on a table that is in use."""
    name = relation(alter["relation"])
    if not state.is_new(name) and name not in state.perhaps_created:
        state.see(RLS_ENABLE, name=label(relation(alter["relation"])))


@on("DropStmt")
def drop_policy(node: Node, state: State) -> None:
    """DROP POLICY that the file does not create again."""
    if node["removeType"] != "OBJECT_POLICY":
        return
    for item in node["objects"]:
        parts = strings(item["List"]["items"])
        table = dotted(parts[:-1])
        if ("policy", table, parts[-1]) not in state.replaced and not state.is_new(table):
            state.see(DROP_POLICY, policy=parts[-1], name=label(table))


@on("AlterPolicyStmt")
def alter_policy(node: Node, state: State) -> None:
    """ALTER POLICY."""
    state.see(ALTER_POLICY, policy=node["policy_name"], name=label(relation(node["table"])))


@on("RenameStmt")
def rename_policy(node: Node, state: State) -> None:
    """ALTER POLICY … RENAME."""
    if node["renameType"] == "OBJECT_POLICY":
        state.see(ALTER_POLICY, policy=node["subname"], name=label(relation(node["relation"])))


@on("CreatePolicyStmt")
def create_policy(node: Node, state: State) -> None:
    """CREATE POLICY that asks nothing of the row: of a wide role's writes, and of reading what there is already; or
    that lets everybody write what fits, whoever it is.
    """
    name = relation(node["table"])
    words = {"policy": node["policy_name"], "name": label(name)}
    state.replaced.discard(("policy", name, node["policy_name"]))
    lock = None if state.is_new(name) else AX
    reads = {relation(inner) for kind, inner in inner_nodes(node) if kind == "RangeVar"}
    if name in reads and node["cmd_name"] in ("all", "select"):
        state.see(POLICY_RECURSES, None, None, lock, **words)
    roles = role_names(node.get("roles", [])) or ["PUBLIC"]
    wide = [role for role in roles if role == "PUBLIC" or role in _WIDE]
    verb = node["cmd_name"]
    opens = [node[field] for field in ("qual", "with_check") if field in node]
    is_ours = state.is_new(name) or name in state.perhaps_created
    opens = [] if verb == "select" and is_ours else opens
    if what := chosen_by_caller(opens, state):
        state.see(METADATA, None, None, lock, who=f"policy {node['policy_name']} of {label(name)}", what=what)
    of_all = any(asks_nothing(condition) or says_yes(condition, state) for condition in opens)
    harmless = ("select", "insert") if wide == ["authenticated"] else ("select",)
    blind = verb not in harmless and bool(opens) and not _asks_caller(node)
    if wide and node.get("permissive") and (of_all or blind):
        verb = {"all": "read and write", "select": "read"}.get(verb, verb)
        rows = "every row" if of_all else "rows without asking who it is"
        state.see(POLICY_TRUE, None, None, lock, roles=told(wide), verb=verb, rows=rows, **words)
    elif not state.is_new(name) and node.get("permissive"):
        state.see(CREATE_POLICY, narrows="", **words)
    elif not state.is_new(name):
        narrows = ": a row that does not fit is hidden at once from whom other policies show it"
        state.see(CREATE_POLICY, COMPATIBILITY, narrows=narrows, **words)


def _asks_caller(policy: Node) -> bool:
    """Whether its conditions look at who asks, or may by a call or a query."""
    return any(
        kind == "SubLink"
        or (kind == "SQLValueFunction" and node["op"].endswith(("USER", "ROLE")))
        or (kind == "FuncCall" and not _only_computes(strings(node["funcname"])))
        for kind, node in inner_nodes(policy)
    )


def _only_computes(function: list[str]) -> bool:
    answers_all_alike = not any(word in function[-1] for word in ("setting", "privilege", "role", "user"))
    return function[0] == "storage" or (is_volatile(function[-1]) is False and answers_all_alike)
