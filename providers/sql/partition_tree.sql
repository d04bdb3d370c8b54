-- The root of a partition's tree, then its leaves; nothing where neither a hash nor an expression decides above this table.
SELECT n.nspname, c.relname FROM pg_partition_tree(pg_partition_root(%(table)s::regclass)) t
JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (t.isleaf OR t.level = 0) AND EXISTS (
  SELECT FROM pg_partition_ancestors(%(table)s::regclass) a JOIN pg_partitioned_table p ON p.partrelid = a.relid
  WHERE p.partstrat = 'h' OR p.partexprs IS NOT NULL)
ORDER BY t.level, 1, 2
