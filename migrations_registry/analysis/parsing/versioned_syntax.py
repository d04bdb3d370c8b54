"""Syntax that not every supported PostgreSQL reads, by its place in the tree (release notes and grammars of 12 to 18).

Out: tables, and MARKED: every key that a walk must stop at.
"""

from __future__ import annotations

Needed = tuple[int, str]
# A node or field whose mere presence needs a version.
PRESENT: dict[str, Needed] = {
    "ReturningOption": (18, "RETURNING WITH (OLD, NEW)"),
    "without_overlaps": (18, "WITHOUT OVERLAPS"),
    "fk_with_period": (18, "PERIOD in a foreign key"),
    "alterEnforceability": (18, "ALTER CONSTRAINT … ENFORCED"),
    "alterInheritability": (18, "ALTER CONSTRAINT … INHERIT"),
    "JsonTable": (17, "JSON_TABLE"),
    "JsonFuncExpr": (17, "JSON_EXISTS, JSON_QUERY and JSON_VALUE"),
    "JsonParseExpr": (17, "JSON()"),
    "JsonScalarExpr": (17, "JSON_SCALAR"),
    "JsonSerializeExpr": (17, "JSON_SERIALIZE"),
    "JsonObjectConstructor": (16, "JSON_OBJECT with colons or VALUE"),
    "JsonArrayConstructor": (16, "JSON_ARRAY"),
    "JsonArrayQueryConstructor": (16, "JSON_ARRAY"),
    "JsonObjectAgg": (16, "JSON_OBJECTAGG"),
    "JsonArrayAgg": (16, "JSON_ARRAYAGG"),
    "JsonIsPredicate": (16, "IS JSON"),
    "storage_name": (16, "STORAGE of a new column"),
    "MergeStmt": (15, "MERGE"),
    "AlterDatabaseRefreshCollStmt": (15, "REFRESH COLLATION VERSION"),
    "nulls_not_distinct": (15, "NULLS NOT DISTINCT"),
    "fk_del_set_cols": (15, "ON DELETE SET … with columns"),
    "search_clause": (14, "SEARCH in a recursive query"),
    "cycle_clause": (14, "CYCLE in a recursive query"),
    "sql_body": (14, "a function body without quotes"),
    "join_using_alias": (14, "an alias of JOIN … USING"),
    "compression": (14, "COMPRESSION"),
    "groupDistinct": (14, "GROUP BY DISTINCT"),
}
# A field with a certain text.
VALUES: dict[tuple[str, str], Needed] = {
    ("generated_kind", "v"): (18, "a VIRTUAL computed column"),
    ("contype", "CONSTR_ATTR_NOT_ENFORCED"): (18, "NOT ENFORCED"),
    ("contype", "CONSTR_ATTR_ENFORCED"): (18, "ENFORCED"),
    ("subtype", "AT_SetExpression"): (17, "SET EXPRESSION"),
    ("matchKind", "MERGE_WHEN_NOT_MATCHED_BY_SOURCE"): (17, "MERGE … NOT MATCHED BY SOURCE"),
    ("priv_name", "maintain"): (17, "the privilege MAINTAIN"),
    ("eventname", "login"): (17, "an event trigger on login"),
    ("subtype", "AT_SetAccessMethod"): (15, "SET ACCESS METHOD"),
    ("pubobjtype", "PUBLICATIONOBJ_TABLES_IN_SCHEMA"): (15, "a publication of a schema's tables"),
    ("objtype", "OBJECT_PARAMETER_ACL"): (15, "GRANT … ON PARAMETER"),
    ("subtype", "AT_DetachPartitionFinalize"): (14, "DETACH PARTITION … FINALIZE"),
    ("subtype", "AT_SetCompression"): (14, "SET COMPRESSION"),
    ("subtype", "AT_DropExpression"): (13, "DROP EXPRESSION"),
    ("limitOption", "LIMIT_OPTION_WITH_TIES"): (13, "FETCH … WITH TIES"),
    ("generated_kind", "s"): (12, "a STORED computed column"),
    ("ctematerialized", "CTEMaterializeAlways"): (12, "WITH … AS MATERIALIZED"),
    ("ctematerialized", "CTEMaterializeNever"): (12, "WITH … AS NOT MATERIALIZED"),
}
# Options in brackets, by the command that takes them.
OPTIONS: dict[str, dict[str, int]] = {
    "CopyStmt": {"reject_limit": 18, "on_error": 17, "log_verbosity": 17, "default": 16},
    "ExplainStmt": {"memory": 17, "serialize": 17, "generic_plan": 16, "wal": 13, "settings": 12},
    "VacuumStmt": {
        **dict.fromkeys(("process_main", "skip_database_stats", "only_database_stats", "buffer_usage_limit"), 16),
        "process_toast": 14,
        "parallel": 13,
    },
    "GrantRoleStmt": {"inherit": 16, "set": 16},
    "ViewStmt": {"security_invoker": 15},
    "CreatedbStmt": {"builtin_locale": 17, "icu_rules": 16, "strategy": 15, "locale_provider": 15},
    "ReindexStmt": {"tablespace": 14, "concurrently": 12},
    "DropdbStmt": {"force": 13},
}
SETTINGS = {"transaction_timeout": 17, "event_triggers": 17, "idle_session_timeout": 14}
# What is told by several fields of a node together (postgresql/versions.py).
JUDGED = frozenset(
    (
        "FuncCall",
        "AlterTableCmd",
        "Constraint",
        "CreateStatsStmt",
        "CreateTrigStmt",
        "RangeSubselect",
        "VacuumRelation",
        "pubtable",
    )
)
MARKED = frozenset((*PRESENT, *(field for field, _ in VALUES), *OPTIONS, *JUDGED, "VariableSetStmt"))
