-- What holds rows or shows them, with the file that it is kept in: another number is another file. A sequence's file is
-- one row.
SELECT c.oid::pg_catalog.int8, n.nspname, c.relname, c.relkind::pg_catalog.text,
  CASE WHEN c.relkind <> 'S' THEN pg_catalog.pg_relation_filenode(c.oid)::pg_catalog.int8 END, c.reltuples > 0
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f', 'S') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
