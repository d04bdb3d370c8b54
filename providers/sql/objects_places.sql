-- Common beginning of the fingerprint's queries: the schemas looked at, what extensions own, and the relations of both.
-- Left out: schemas in which the platform itself makes objects while it runs (realtime makes a partition a day).
WITH places AS (
  SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
  WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'realtime', '_realtime', 'graphql', 'graphql_public',
    'vault', 'net', 'pgbouncer', 'pgsodium', 'pgsodium_masks', 'supabase_functions', 'supabase_migrations', 'cron')
), members AS (
  SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), relations AS (
  SELECT c.*, format('%I.%I', n.nspname, c.relname) AS full_name,
    CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
      WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type' ELSE 'table' END AS kind
  FROM pg_class c JOIN places n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
    AND ('pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM members)
), functions AS (
  SELECT p.*, format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS full_name,
    CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' ELSE 'function' END AS kind
  FROM pg_proc p JOIN places n ON n.oid = p.pronamespace
  WHERE ('pg_proc'::regclass, p.oid) NOT IN (SELECT classid, objid FROM members)
), types AS (
  SELECT t.*, format('%I.%I', n.nspname, t.typname) AS full_name
  FROM pg_type t JOIN places n ON n.oid = t.typnamespace
  WHERE t.typtype IN ('e', 'd', 'r', 'c', 'b') AND t.typelem = 0
    AND (t.typrelid = 0 OR t.typrelid IN (SELECT oid FROM relations WHERE relkind = 'c'))
    AND ('pg_type'::regclass, t.oid) NOT IN (SELECT classid, objid FROM members)
)
