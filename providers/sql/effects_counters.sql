-- Rows inserted, updated and deleted by the transaction that is open, whoever did it; system catalogs too.
SELECT oid::pg_catalog.int8, inserted, updated, deleted
FROM (
  SELECT c.oid, pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) AS inserted,
    pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) AS updated, pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) AS deleted
  FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'm', 'p')
) counted
WHERE inserted + updated + deleted > 0
