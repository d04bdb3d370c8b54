-- Where a table's rows lie: its partitions, or itself.
SELECT n.nspname, c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = %(name)s::regclass AND c.relkind <> 'p'
   OR c.oid IN (SELECT relid FROM pg_partition_tree(%(name)s::regclass) WHERE isleaf)
ORDER BY 1, 2
