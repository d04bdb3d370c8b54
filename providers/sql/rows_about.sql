SELECT sum(greatest(c.reltuples, 0))
FROM pg_catalog.pg_class t
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
CROSS JOIN LATERAL (
    SELECT t.oid AS part
    UNION
    SELECT p.relid FROM pg_catalog.pg_partition_tree(t.oid) AS p
) AS parts
JOIN pg_catalog.pg_class c ON c.oid = parts.part AND c.relkind = 'r'
WHERE n.nspname = %(schema)s AND t.relname = %(name)s
