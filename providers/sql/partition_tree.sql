-- The root of a partition's tree, then its leaves; nothing where neither a hash, an expression, an order of text that is
-- not by bytes, nor somebody's own operators decide above this table.
SELECT n.nspname, c.relname FROM pg_partition_tree(pg_partition_root(%(table)s::regclass)) t
JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (t.isleaf OR t.level = 0) AND EXISTS (
  SELECT FROM pg_partition_ancestors(%(table)s::regclass) a JOIN pg_partitioned_table p ON p.partrelid = a.relid
  WHERE p.partstrat = 'h' OR p.partexprs IS NOT NULL
    OR EXISTS (SELECT FROM unnest(p.partcollation::oid[]) o WHERE o NOT IN (0, '"C"'::regcollation, '"POSIX"'::regcollation))
    OR EXISTS (SELECT FROM pg_opclass o WHERE o.oid = ANY (p.partclass) AND o.opcnamespace <> 'pg_catalog'::regnamespace))
ORDER BY t.level, 1, 2
