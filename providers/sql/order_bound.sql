-- What may refuse a right row. With `order` (text has another one here): CHECKs of a table, and its place among partitions.
-- Without: only its place, where a hash decides it, or an expression.
SELECT 'CHECK', k.conname, '', '' FROM pg_constraint k
WHERE %(order)s AND k.conrelid = %(table)s::regclass AND k.contype = 'c' AND k.coninhcount = 0
UNION ALL
SELECT 'PARTITION', '', n.nspname, p.relname FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent AND p.relkind = 'p'
JOIN pg_namespace n ON n.oid = p.relnamespace WHERE i.inhrelid = %(table)s::regclass
AND (%(order)s OR EXISTS (SELECT FROM pg_partition_ancestors(i.inhparent) a JOIN pg_partitioned_table t ON t.partrelid = a.relid
                          WHERE t.partstrat = 'h' OR t.partexprs IS NOT NULL))
ORDER BY 1 DESC
