-- Run once in the product's database as its owner (Supabase: SQL editor). Replace the three passwords.

-- 1. Copies only. BYPASSRLS, so that row-level security hides nothing from the backup; it can write nothing.
CREATE ROLE sampelit_ops_export LOGIN BYPASSRLS CONNECTION LIMIT 8 PASSWORD 'PASSWORD-1';
GRANT pg_read_all_data TO sampelit_ops_export;
ALTER ROLE sampelit_ops_export SET default_transaction_read_only = on;
ALTER ROLE sampelit_ops_export SET statement_timeout = 0;

-- 2. Applies migrations that somebody else approved: it acts as the owner of the tables.
CREATE ROLE sampelit_ops_migration LOGIN CONNECTION LIMIT 4 PASSWORD 'PASSWORD-2';
GRANT postgres TO sampelit_ops_migration;
ALTER ROLE sampelit_ops_migration SET role = postgres;
ALTER ROLE sampelit_ops_migration SET idle_in_transaction_session_timeout = '45s';

-- 3. Restores into a scratch database of the project, never into the live one.
CREATE ROLE sampelit_ops_restore LOGIN CREATEDB CONNECTION LIMIT 4 PASSWORD 'PASSWORD-3';
