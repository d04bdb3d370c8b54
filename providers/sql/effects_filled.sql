-- Of relations, without waiting for their locks: whether they held rows before, as far as anybody counted.
SELECT c.oid::pg_catalog.int8, c.relpages > 0 OR pg_catalog.pg_stat_get_live_tuples(c.oid) > 0
FROM pg_catalog.pg_class c WHERE c.oid = ANY (%(oids)s::pg_catalog.oid[])
