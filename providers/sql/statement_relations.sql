-- What holds rows or shows them, with the file that it is kept in: another number is another file. A sequence's file is
-- one row, an index's belongs to its table, which comes last.
SELECT c.oid::pg_catalog.int8, n.nspname, c.relname, c.relkind::pg_catalog.text,
  CASE WHEN c.relkind IN ('r', 'p', 'm', 'v', 'f') THEN pg_catalog.pg_relation_filenode(c.oid)::pg_catalog.int8 END,
  c.reltuples > 0 AND i.indrelid IS NULL, i.indrelid::pg_catalog.int8
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f', 'S', 'i', 'I') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
