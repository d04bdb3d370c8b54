-- Of relations, without waiting for their locks: rows and bytes that they held before, as far as anybody counted.
SELECT c.oid::pg_catalog.int8, GREATEST(pg_catalog.ceil(c.reltuples), pg_catalog.pg_stat_get_live_tuples(c.oid), 0)::pg_catalog.int8,
  c.relpages * pg_catalog.current_setting('block_size')::pg_catalog.int8
FROM pg_catalog.pg_class c WHERE c.oid = ANY (%(oids)s::pg_catalog.oid[])
