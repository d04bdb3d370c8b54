-- The tables of a set. Pages come from the file size, because relpages is only an estimate.
SELECT c.oid::bigint, n.nspname, c.relname, c.relkind::text, c.relrowsecurity, c.relforcerowsecurity,
       CASE WHEN c.relkind = 'r' THEN pg_relation_size(c.oid) / current_setting('block_size')::int ELSE 0 END,
       CASE WHEN c.relkind = 'r' THEN pg_table_size(c.oid) ELSE 0 END,
       coalesce(pg_get_partkeydef(c.oid), ''),
       CASE WHEN c.relispartition THEN (SELECT format('%%I.%%I', pn.nspname, p.relname) FROM pg_inherits i
            JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
            WHERE i.inhrelid = c.oid) ELSE '' END,
       coalesce(pg_get_expr(c.relpartbound, c.oid), ''),
       (SELECT count(*) FROM pg_partition_ancestors(c.oid))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY (%(oids)s::oid[])
ORDER BY n.nspname, c.relname
