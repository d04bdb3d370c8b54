-- How often the open transaction read each table from its beginning, and how many rows it got.
SELECT c.oid::pg_catalog.int8, pg_catalog.pg_stat_get_xact_numscans(c.oid), pg_catalog.pg_stat_get_xact_tuples_returned(c.oid)
FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'm', 'p') AND pg_catalog.pg_stat_get_xact_numscans(c.oid) > 0
