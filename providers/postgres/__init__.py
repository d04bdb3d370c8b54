"""The only door to the product's database: connect, look, snapshot, copy out and in, compare, recompute chains.

In: a DSN and names taken from the catalogue. Out: frozen facts and blocks of bytes. Nothing here knows Django.
"""

from providers.postgres.audit_trail.chains import (
    CHAIN_TABLE,
    ChainHead,
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
from providers.postgres.connection import beside, connect, fresh_database, statements
from providers.postgres.copy.row_digests import Evidence, evidence, evidence_by_load
from providers.postgres.copy.snapshot import Position, Range, Snapshot, export_snapshot, hold_tables, import_snapshot
from providers.postgres.copy.stream import CopyOut, copy_in, unlogged
from providers.postgres.driver_errors import explain, explained
from providers.postgres.identity import identity
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
from providers.postgres.schema.model import Catalog, Column, Table
