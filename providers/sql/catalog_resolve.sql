-- Names as people write them ("table" means public, "schema.*" and "*" mean all) to tables with rows of their own.
WITH RECURSIVE wanted AS (
    SELECT DISTINCT coalesce(c.oid, 0) AS oid, w.name
    FROM unnest(%(names)s::text[]) AS w(name)
    LEFT JOIN (pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace)
      ON c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> 'information_schema'
     AND CASE WHEN w.name = '*' THEN NOT (n.nspname = ANY (%(skipped)s))
                                     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid
                                                     AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
              WHEN w.name LIKE '%%.*' THEN n.nspname || '.*' = w.name AND (NOT n.nspname = ANY (%(skipped)s)
                   OR has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))
              WHEN strpos(w.name, '.') > 0 THEN w.name IN (n.nspname || '.' || c.relname,
                                                       quote_ident(n.nspname) || '.' || c.relname)
              ELSE n.nspname = 'public' AND c.relname = w.name END
), reached AS (
    SELECT oid FROM wanted WHERE oid <> 0
    UNION
    SELECT next.oid FROM reached r CROSS JOIN LATERAL (
        SELECT k.confrelid AS oid FROM pg_constraint k WHERE k.conrelid = r.oid AND k.contype = 'f' AND %(closure)s
        UNION SELECT i.inhrelid FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent AND p.relkind = 'p'
              WHERE i.inhparent = r.oid
        UNION SELECT i.inhparent FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhrelid AND p.relispartition
              WHERE i.inhrelid = r.oid
    ) AS next
)
SELECT 'unknown', 0::bigint, name FROM wanted WHERE oid = 0 AND NOT rtrim(name, '*') = ANY (SELECT s || '.' FROM unnest(%(skipped)s) s)
UNION ALL SELECT 'named', oid::bigint, name FROM wanted WHERE oid <> 0 AND strpos(name, '*') = 0
UNION ALL SELECT 'reached', oid::bigint, '' FROM reached
