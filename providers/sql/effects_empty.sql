-- Tables in which there is nothing, asked of the file where nobody counted yet; each is locked only while it is asked.
SELECT c.oid::pg_catalog.int8 FROM pg_catalog.pg_class c
WHERE c.relkind IN ('r', 'm') AND c.relpages = 0 AND c.relpersistence <> 't' AND c.oid >= '16384'::pg_catalog.oid
  AND pg_catalog.pg_relation_size(c.oid, 'main') = 0
