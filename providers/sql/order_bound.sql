-- What may refuse a row because text has another order here: CHECKs of a table, and its place among partitions.
SELECT 'CHECK', k.conname, '', '' FROM pg_constraint k
WHERE k.conrelid = %(table)s::regclass AND k.contype = 'c' AND k.coninhcount = 0
UNION ALL
SELECT 'PARTITION', '', n.nspname, p.relname FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent AND p.relkind = 'p'
JOIN pg_namespace n ON n.oid = p.relnamespace WHERE i.inhrelid = %(table)s::regclass
ORDER BY 1 DESC
