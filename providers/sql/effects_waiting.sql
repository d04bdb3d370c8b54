-- What was written to relations whose triggers may wait for COMMIT: as long as it moves, more of them may wait.
SELECT c.oid::pg_catalog.int8, pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid)
  + pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) + pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)
FROM pg_catalog.pg_class c
WHERE c.oid IN (SELECT t.tgrelid FROM pg_catalog.pg_trigger t WHERE t.tgdeferrable)
