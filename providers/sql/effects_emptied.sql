-- Of relations with a new file: whether nothing is in it.
SELECT o.oid::pg_catalog.int8, pg_catalog.pg_relation_size(o.oid, 'main') = 0
FROM pg_catalog.unnest(%(oids)s::pg_catalog.oid[]) o(oid)
