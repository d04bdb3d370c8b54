-- Run once in the product's database as its owner (Supabase: SQL editor). Replace the three passwords; where the tables
-- belong to another role than postgres, or lie in another database, its name too.

-- 1. Copies only: exports, proofs of what lies in the store, drift, comparisons. BYPASSRLS, so that row-level security
--    hides nothing from the backup; it can write nothing.
CREATE ROLE sampelit_ops_export LOGIN BYPASSRLS CONNECTION LIMIT 8 PASSWORD 'PASSWORD-1';
GRANT CONNECT ON DATABASE postgres TO sampelit_ops_export;
GRANT pg_read_all_data, pg_read_all_stats TO sampelit_ops_export;
ALTER ROLE sampelit_ops_export SET default_transaction_read_only = on;
ALTER ROLE sampelit_ops_export SET statement_timeout = 0;
ALTER ROLE sampelit_ops_export SET idle_in_transaction_session_timeout = 0;

-- 2. Applies migrations that somebody else approved: it acts as the owner of the tables, sees who holds a lock, and may
--    end an earlier attempt of its own.
CREATE ROLE sampelit_ops_migration LOGIN BYPASSRLS CONNECTION LIMIT 4 PASSWORD 'PASSWORD-2';
GRANT CONNECT ON DATABASE postgres TO sampelit_ops_migration;
GRANT postgres, pg_monitor, pg_signal_backend TO sampelit_ops_migration;
ALTER ROLE sampelit_ops_migration SET role = postgres;
ALTER ROLE sampelit_ops_migration SET idle_in_transaction_session_timeout = '45s';

-- 3. Restores: into a database of its own that it makes and drops, and, with votes, onto the live tables, for which it is
--    a member of their owner.
CREATE ROLE sampelit_ops_restore LOGIN CREATEDB BYPASSRLS CONNECTION LIMIT 4 PASSWORD 'PASSWORD-3';
GRANT CONNECT, CREATE ON DATABASE postgres TO sampelit_ops_restore;
GRANT postgres, pg_read_all_data, pg_read_all_stats TO sampelit_ops_restore;
