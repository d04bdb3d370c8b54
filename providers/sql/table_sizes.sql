-- Tables a policy can name, largest first, with the planner's row estimate (-1: never analysed); partitions under their own names.
SELECT n.nspname, c.relname, coalesce(pg_table_size(c.oid), 0), c.reltuples::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
ORDER BY 3 DESC, 1, 2
