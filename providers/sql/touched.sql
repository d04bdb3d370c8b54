-- Rows that this transaction deleted or changed, by table (a partition counts for its root), however it came about.
WITH done AS (
  SELECT CASE WHEN s.schemaname ~ '^"|[.]' THEN quote_ident(s.schemaname) ELSE s.schemaname END || '.' || s.relname AS own, CASE WHEN n.nspname ~ '^"|[.]' THEN quote_ident(n.nspname) ELSE n.nspname END || '.' || c.relname AS name, s.n_tup_del + s.n_tup_upd AS rows
  FROM pg_stat_xact_user_tables s
  JOIN pg_class c ON c.oid = COALESCE(pg_partition_root(s.relid), s.relid) JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relpersistence <> 't')
SELECT name, sum(rows)::bigint FROM done
WHERE rows > 0 AND NOT own = ANY (%(tables)s::text[]) AND NOT name = ANY (%(tables)s::text[])
GROUP BY name ORDER BY name
