"""The only door to the product's database: connect, look, snapshot, copy out and in, compare, recompute chains.

In: a DSN and names taken from the catalogue. Out: frozen facts and blocks of bytes. Nothing here knows Django.
"""

from providers.postgres.audit_trail.chains import (
    CHAIN_TABLE,
    ChainHead,
    ChainProblem,
    Damage,
    chain_damage,
    chain_heads,
    chain_problems,
    chains_not_kept,
    has_chain,
    keep_chain,
)
from providers.postgres.audit_trail.verifier import Said, ask_verifier
from providers.postgres.catalog import (
    PLATFORM_SCHEMAS,
    Listed,
    listed_tables,
    read_catalog,
    read_names,
    schema_exists,
    table_sizes,
)
from providers.postgres.connection import PINNED, beside, connect, explain, fresh_database, statements
from providers.postgres.copy.row_digests import Evidence, evidence, evidence_by_load
from providers.postgres.copy.snapshot import (
    FIRST,
    Position,
    Range,
    Snapshot,
    export_snapshot,
    hold_tables,
    import_snapshot,
)
from providers.postgres.copy.stream import CopyOut, copy_in, unlogged
from providers.postgres.identity import Identity, MetDsn, identity
from providers.postgres.migrate.drain import drain
from providers.postgres.preflight import Facts, facts, problems, table_problems, timeline_note
from providers.postgres.restore.table_sync import (
    Difference,
    bring_back,
    copy_of,
    difference,
    lock_tables,
    primary_key,
    remove_missing,
    stage,
)
from providers.postgres.schema.model import Catalog, Column, SchemaObject, Table

__all__ = [
    "CHAIN_TABLE",
    "FIRST",
    "PINNED",
    "PLATFORM_SCHEMAS",
    "Catalog",
    "ChainHead",
    "ChainProblem",
    "Column",
    "CopyOut",
    "Damage",
    "Difference",
    "Evidence",
    "Facts",
    "Identity",
    "Listed",
    "MetDsn",
    "Position",
    "Range",
    "Said",
    "SchemaObject",
    "Snapshot",
    "Table",
    "ask_verifier",
    "beside",
    "bring_back",
    "chain_damage",
    "chain_heads",
    "chain_problems",
    "chains_not_kept",
    "connect",
    "copy_in",
    "copy_of",
    "difference",
    "drain",
    "evidence",
    "evidence_by_load",
    "explain",
    "export_snapshot",
    "facts",
    "fresh_database",
    "has_chain",
    "hold_tables",
    "identity",
    "import_snapshot",
    "keep_chain",
    "listed_tables",
    "lock_tables",
    "primary_key",
    "problems",
    "read_catalog",
    "read_names",
    "remove_missing",
    "schema_exists",
    "stage",
    "statements",
    "table_problems",
    "table_sizes",
    "timeline_note",
    "unlogged",
]
