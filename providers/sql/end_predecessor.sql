-- End the session of an earlier attempt of the same operation that holds this advisory lock (9.28.2 Server Signaling).
SELECT pg_catalog.pg_terminate_backend(a.pid)
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND a.pid <> pg_catalog.pg_backend_pid()
  AND ((l.classid::bigint << 32) | l.objid::bigint) = %(number)s
  AND a.datname = pg_catalog.current_database() AND a.application_name = %(name)s
