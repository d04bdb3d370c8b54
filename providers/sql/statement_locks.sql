-- Locks on relations that a session holds or waits for.
SELECT l.relation::pg_catalog.int8, l.mode, l.granted FROM pg_catalog.pg_locks l
WHERE l.pid = %(pid)s AND l.locktype = 'relation'
  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
