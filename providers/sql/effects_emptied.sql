-- Of relations with a new file: whether nothing is in it, and how much there is with what was stored apart.
SELECT o.oid::pg_catalog.int8, pg_catalog.pg_relation_size(o.oid, 'main') = 0, pg_catalog.pg_table_size(o.oid)
FROM pg_catalog.unnest(%(oids)s::pg_catalog.oid[]) o(oid)
