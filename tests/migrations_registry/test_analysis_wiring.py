"""The rules of the analysis and the readers of what a file leaves behind enlist by decorator: none may go unnoticed."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping

import pytest

from migrations_registry.analysis import rule_registry
from migrations_registry.observing import expected_objects

RULES = """
MC-ALTER-TYPE MC-API-COMMENT MC-CHECK-NEVER MC-CREATE-DOMAIN MC-DOMAIN-CHANGE MC-DROP-DEFAULT MC-DROP-NOT-NULL
MC-EMPTY-MATVIEW MC-ENUM-ADD-VALUE MC-EVENT-TRIGGER MC-EXTENSION MC-FK-EMPTY MC-GENERATED-ALWAYS MC-INHERIT MC-JSON
MC-NO-API-GRANT MC-NO-AUTOVACUUM MC-OWNER MC-POLICY-RECURSES MC-PUBLISH-ALL MC-PUBLISH-OTHER MC-QUERY-MEANING
MC-RENAME-COLUMN MC-RENAME-ENUM MC-RENAME-SCHEMA MC-RENAME-TABLE MC-RENAME-TYPE MC-REPLACE-VIEW MC-REPLICA-IDENTITY
MC-ROLE-SETTING MC-RULE MC-SEQ-RESTART MC-SET-SCHEMA MC-SUBSCRIPTION MC-TRIGGER-STOPS MC-UNSCHEDULE MD-ALTER-NARROW
MD-CASCADE MD-CATALOG-MODS MD-DELETE MD-DELETE-ALL MD-DROP-COLUMN MD-DROP-CONSTRAINT MD-DROP-DATABASE MD-DROP-DOMAIN
MD-DROP-EXPRESSION MD-DROP-EXTENSION MD-DROP-FUNCTION MD-DROP-INDEX MD-DROP-MATVIEW MD-DROP-OTHER MD-DROP-OWNED
MD-DROP-PUBLICATION MD-DROP-SCHEMA MD-DROP-SCHEMA-CASCADE MD-DROP-SEQUENCE MD-DROP-TABLE MD-DROP-TRIGGER MD-DROP-TYPE
MD-DROP-VIEW MD-MERGE-DELETE MD-PUBLICATION MD-RECREATE-TABLE MD-SYSTEM-CATALOG MD-TRUNCATE MD-UPDATE-ALL
MD-UPDATE-MANY ML-ADD-CHECK ML-ADD-COLUMN ML-ADD-FK ML-ADD-PK ML-ADD-SERIAL ML-ADD-UNIQUE ML-AFTER-AX ML-ATTACH
ML-ATTACH-PROVEN ML-BACKFILL-IN-DDL-TX ML-BRIEF-AX ML-CHEAP ML-CHECK-NOT-VALID ML-CLUSTER ML-CREATE-FK-PARENT
ML-DATABASE-TABLESPACE ML-DEFAULT-CHANGE ML-DEFAULT-PARTITION ML-DETACH ML-DETACH-CONCURRENTLY ML-DISABLE-TRIGGER
ML-DOMAIN-COL ML-DOMAIN-CONSTRAINT ML-DROP-INDEX-CONCURRENTLY ML-ENFORCE ML-EXCLUDE ML-FK-NO-INDEX ML-FK-NOT-ENFORCED
ML-FK-NOT-VALID ML-GEN-STORED ML-GEN-VIRTUAL ML-INDEX ML-INDEX-CONCURRENTLY ML-INDEX-UNIQUE ML-INLINE-CHECK
ML-INLINE-FK ML-LOCK-TABLE ML-MULTI-AX ML-NN-NOT-VALID ML-NO-LOCK-TIMEOUT ML-PARTITION-OF ML-PAUSE
ML-PK-USING-INDEX-NULLABLE ML-REFRESH-MV ML-REFRESH-MV-CONCURRENTLY ML-REINDEX ML-SET-ACCESS-METHOD ML-SET-EXPRESSION
ML-SET-LOGGED ML-SET-NOT-NULL ML-SET-NOT-NULL-PROVEN ML-SET-TABLESPACE ML-TRIGGER ML-TYPE-CHANGE ML-TYPE-REMADE
ML-TYPE-SAFE ML-UPDATE-FILL ML-USING-INDEX ML-VACUUM-FULL ML-VALIDATE ML-VALIDATE-SAME-TX ML-VOLATILE-DEFAULT MN-CHAR
MN-ENUM MN-IDENTIFIER MN-IF-EXISTS MN-INT-PK MN-NO-PK MN-SERIAL MN-TIMESTAMP MN-VARCHAR MP-COPY-STDIN MP-META
MP-RESTRICT MP-UNPARSED MS-ALTER-POLICY MS-COPY-PROGRAM MS-CREATE-POLICY MS-DEFAULT-PRIVILEGES MS-DEFINER-OPEN
MS-DEFINER-SET MS-DROP-POLICY MS-FOREIGN-SERVER MS-GRANT-ROLE MS-GRANT-WIDE MS-LATER-SESSIONS MS-LEAKPROOF MS-LOCKS-OUT
MS-MANAGED-ROWS MS-MANAGED-SCHEMA MS-ONE-ANSWER MS-POLICY-METADATA MS-POLICY-TRUE MS-REVOKE MS-RLS-DISABLE
MS-RLS-ENABLE MS-RLS-MISSING MS-ROLE MS-SECDEF MS-SECURITY-LABEL MS-SERVER-FUNCTION MS-UNTRUSTED-LANG MS-VIEW-BARRIER
MS-VIEW-DEFINER MT-BODY-COMMIT MT-CIC-IF-NOT-EXISTS MT-CIC-IN-TX MT-DUMP-HEADER MT-DUPLICATE-COLUMN MT-ENUM-ADD-IN-TX
MT-ENUM-USE MT-NEEDS-VERSION MT-NON-TX MT-SEARCH-PATH MT-SET-ROLE MT-STATEMENT-TIMEOUT MT-TIMEOUT-OFF MT-TIMEOUT-RAISED
MT-TIMEOUT-RESET MT-TX-CONTROL MT-WAY-BACK MV-ADD-NOT-NULL-NO-DEFAULT MV-COLLATION-VERSION MV-LOCAL-TIMESTAMP
MV-SEQUENCE-BEHIND MV-SEQUENCE-LIMIT MV-WIDE-INDEX MX-CTE-DML MX-DO MX-DYNAMIC MX-EXPLAIN-ANALYZE MX-FN-CALL MX-PREPARE
MX-UNREADABLE MX-UNSEEN-CALL MX-UNSEEN-PREPARED
"""
STATEMENTS = """
AlterCollationStmt: collation_version
AlterDatabaseRefreshCollStmt: collation_version
AlterDatabaseSetStmt: role_setting
AlterDatabaseStmt: alter_database
AlterDefaultPrivilegesStmt: default_privileges
AlterDomainStmt: alter_domain domain_check_never
AlterEnumStmt: alter_enum
AlterEventTrigStmt: event_trigger
AlterExtensionContentsStmt: alter_extension
AlterExtensionStmt: alter_extension
AlterFdwStmt: foreign
AlterForeignServerStmt: foreign
AlterFunctionStmt: alter_definer as_caller own_settings
AlterObjectSchemaStmt: managed_names other_name renamed set_schema
AlterOpFamilyStmt: existing
AlterOperatorStmt: existing
AlterOwnerStmt: change_other_owner
AlterPolicyStmt: alter_policy
AlterPublicationStmt: publication publish publish_other
AlterRoleSetStmt: role_setting
AlterRoleStmt: changes locked_role role
AlterSeqStmt: alter_sequence managed_schema owned
AlterSubscriptionStmt: subscription
AlterSystemStmt: server_wide
AlterTSConfigurationStmt: text_search
AlterTSDictionaryStmt: text_search
AlterTableMoveAllStmt: move_all
AlterTableStmt: alter_attribute alter_composite managed_schema
AlterTypeStmt: existing
AlterUserMappingStmt: foreign
CallStmt: server_functions set_value setting_functions
ClusterStmt: cluster managed_schema
CommentStmt: api_comment comment
CompositeTypeStmt: other_names_made
CopyStmt: copy with_query
CreateAmStmt: load
CreateCastStmt: cast
CreateConversionStmt: default_of
CreateDomainStmt: create_domain other_names_made
CreateEnumStmt: create_enum other_names_made
CreateEventTrigStmt: event_trigger
CreateExtensionStmt: extension
CreateFdwStmt: foreign
CreateForeignServerStmt: foreign
CreateForeignTableStmt: create create_foreign_table foreign shows_another_server
CreateFunctionStmt: create_definer create_function language managed_names own_settings replace_function trusts_caller
CreateOpClassStmt: default_of
CreatePLangStmt: language
CreatePolicyStmt: create_policy managed_schema
CreatePublicationStmt: publish
CreateRangeStmt: other_names_made
CreateRoleStmt: born_into locked_role role
CreateSchemaStmt: schema_elements
CreateSeqStmt: create_sequence managed_schema starts
CreateStmt: create create_table create_table create_with_parent managed_schema partition_of replaced
CreateSubscriptionStmt: server_wide
CreateTableAsStmt: create_table_as managed_schema materialized_view select_into with_query
CreateTableSpaceStmt: server_wide
CreateTransformStmt: existing
CreateTrigStmt: create_trigger managed_schema
CreateUserMappingStmt: foreign
CreatedbStmt: server_wide
DeclareCursorStmt: with_query
DefineStmt: other_names_made
DeleteStmt: delete managed_rows modifying_cte server_functions
DiscardStmt: discard
DoStmt: do language
DropOwnedStmt: drop_owned
DropRoleStmt: drop_role
DropStmt: drop drop_concurrently drop_index drop_names drop_policy managed_names publication
DropSubscriptionStmt: subscription
DropTableSpaceStmt: server_wide
DropUserMappingStmt: foreign
DropdbStmt: drop_database
ExecuteStmt: execute
ExplainStmt: explain
GrantRoleStmt: grant_role
GrantStmt: grant
ImportForeignSchemaStmt: foreign
IndexStmt: index index_name managed_schema
InsertStmt: insert insert managed_rows modifying_cte server_functions set_value setting_functions upsert
LoadStmt: load
LockStmt: lock_table managed_schema
MergeStmt: managed_rows merge merge merge modifying_cte server_functions
PrepareStmt: prepare
ReassignOwnedStmt: drop_owned
RefreshMatViewStmt: refresh
ReindexStmt: managed_schema reindex
RenameStmt: managed_schema other_name rename rename_policy renamed
RuleStmt: create_rule managed_schema
SecLabelStmt: security_label
SelectStmt: modifying_cte select_into select_into server_functions set_value setting_functions
TransactionStmt: transaction_control
TruncateStmt: managed_schema truncate
UpdateStmt: managed_rows modifying_cte server_functions set_value setting_functions update update
VacuumStmt: vacuum
VariableSetStmt: set_variable
ViewStmt: create_view managed_schema shows view view
"""
ALTER = """
AT_AddColumn: add_column add_column inline_keys refers
AT_AddConstraint: add_check add_key check_never refers
AT_AddIdentity: add_identity
AT_AddInherit: inherit
AT_AddOf: alter_type
AT_AlterColumnGenericOptions: shows_other
AT_AlterColumnType: alter_type alter_type
AT_AlterConstraint: enforce
AT_AttachPartition: attach attach
AT_ChangeOwner: change_owner
AT_ClusterOn: settings
AT_ColumnDefault: column_default counts
AT_DetachPartition: detach
AT_DisableRowSecurity: disable
AT_DisableRule: switch_rule
AT_DisableTrig: disable
AT_DisableTrigAll: disable
AT_DisableTrigUser: disable
AT_DropCluster: settings
AT_DropColumn: drop_column
AT_DropConstraint: drop_constraint
AT_DropExpression: drop_expression
AT_DropIdentity: drop_expression
AT_DropInherit: no_inherit
AT_DropNotNull: drop_not_null
AT_EnableAlwaysRule: switch_rule
AT_EnableAlwaysTrig: enable
AT_EnableReplicaRule: switch_rule
AT_EnableReplicaTrig: disable
AT_EnableRowSecurity: enable
AT_EnableRule: switch_rule
AT_EnableTrig: enable
AT_EnableTrigAll: enable
AT_EnableTrigUser: enable
AT_ForceRowSecurity: enable
AT_GenericOptions: shows_other
AT_NoForceRowSecurity: disable
AT_ReplicaIdentity: replica_identity
AT_ResetOptions: settings
AT_ResetRelOptions: settings view_options
AT_SetAccessMethod: rewrites
AT_SetCompression: settings
AT_SetExpression: set_expression
AT_SetIdentity: restart_identity
AT_SetLogged: rewrites
AT_SetNotNull: set_not_null
AT_SetOptions: settings
AT_SetRelOptions: settings view_options
AT_SetStatistics: settings
AT_SetStorage: settings
AT_SetTableSpace: rewrites
AT_SetUnLogged: rewrites
AT_ValidateConstraint: validate
"""
READERS = """
AlterEnumStmt: _enum_value
AlterTableStmt: _alter
CompositeTypeStmt: _type
CreateDomainStmt: _type
CreateEnumStmt: _type
CreateExtensionStmt: _extension
CreateFunctionStmt: _function
CreatePolicyStmt: _policy
CreateRangeStmt: _type
CreateSchemaStmt: _schema
CreateSeqStmt: _sequence
CreateStmt: _table
CreateTableAsStmt: _made_of_query
CreateTrigStmt: _trigger
DropStmt: _drop
IndexStmt: _index
RenameStmt: _rename
SelectStmt: _selected_into
ViewStmt: _view
"""


def _lines(registry: Mapping[str, list[Callable[..., object]]]) -> list[str]:
    names = {kind: sorted(handler.__name__ for handler in handlers) for kind, handlers in registry.items()}
    return [f"{kind}: {' '.join(names[kind])}" for kind in sorted(names)]


READING = {kind: [reader] for kind, reader in expected_objects.READERS.items()}
ENLISTED = {
    "rules": (RULES.split(), sorted(rule_registry.CATALOGUE)),
    "statements": (STATEMENTS.strip().splitlines(), _lines(rule_registry.HANDLERS)),
    "alter": (ALTER.strip().splitlines(), _lines(rule_registry.ALTER)),
    "after": (
        ["runs", "untold_lock", "pause", "uses_enum", "held_locks", "needs_version"],
        [handler.__name__ for handler in rule_registry.AFTER],
    ),
    "readers": (READERS.strip().splitlines(), _lines(READING)),
}


@pytest.mark.parametrize(("table", "enlisted"), ENLISTED.values(), ids=ENLISTED)
def test_what_is_enlisted_is_what_the_table_says(table: list[str], enlisted: list[str]) -> None:
    changes = "\n".join(difflib.unified_diff(table, enlisted, "table", "running project", "", "", 1, ""))

    assert not changes, f"Intended? Then change the table as well:\n{changes}"
