-- Sequences that this transaction moved: nextval and setval keep their lock until its end, also after a savepoint.
SELECT s.seqrelid::pg_catalog.int8, s.seqincrement > 0, s.seqcycle,
  CASE WHEN pg_catalog.has_sequence_privilege(s.seqrelid, 'SELECT, USAGE')
    THEN pg_catalog.pg_sequence_last_value(s.seqrelid) END
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_sequence s ON s.seqrelid = l.relation
WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.mode = 'RowExclusiveLock'
  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
