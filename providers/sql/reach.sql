-- Tables whose rows are lost or changed when the named ones are dropped, emptied or deleted from.
WITH RECURSIVE named AS (
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> 'information_schema'
      AND (n.nspname || '.' || c.relname = ANY (%(tables)s)
        OR n.nspname = ANY (%(schemas)s)
        OR EXISTS (SELECT FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                   LEFT JOIN pg_type e ON e.oid = t.typelem
                   JOIN pg_namespace tn ON tn.oid = t.typnamespace
                   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                     AND (tn.nspname = ANY (%(schemas)s) OR tn.nspname || '.' || t.typname = ANY (%(types)s) OR tn.nspname || '.' || e.typname = ANY (%(types)s)))
        OR %(everything)s AND NOT n.nspname = ANY (%(skipped)s)
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e'))
), reached AS (
    SELECT oid FROM named
    UNION
    SELECT next.oid FROM reached r CROSS JOIN LATERAL (
        SELECT i.inhrelid AS oid FROM pg_inherits i WHERE i.inhparent = r.oid
        UNION SELECT k.conrelid FROM pg_constraint k WHERE k.confrelid = r.oid AND k.contype = 'f' AND %(rows)s
              AND (%(truncates)s OR k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))
    ) AS next
)
SELECT c.oid::bigint, n.nspname, c.relname, pg_table_size(c.oid), c.relkind = 'r'
FROM reached r JOIN pg_class c ON c.oid = r.oid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') ORDER BY n.nspname, c.relname
