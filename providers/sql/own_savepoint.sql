-- The number that this session's innermost savepoint wrote under: one that has ended gave its lock up.
SELECT transactionid::text FROM pg_catalog.pg_locks
WHERE locktype = 'transactionid' AND pid = pg_backend_pid() AND mode = 'ExclusiveLock'
ORDER BY age(transactionid) LIMIT 1
