-- What a transaction cannot take back is compared with its value at the start: sequences, and locks of the session.
SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text,
  (SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks l
   WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'advisory'),
  pg_catalog.current_setting('track_counts'), pg_catalog.current_setting('allow_system_table_mods'),
  (SELECT pg_catalog.count(*) FROM pg_catalog.pg_cursors c WHERE c.is_holdable),
  pg_catalog.current_setting('session_replication_role')
