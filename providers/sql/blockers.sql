SELECT DISTINCT format('%%s (%%s, pid %%s, %%s)', a.usename, coalesce(nullif(a.application_name, ''), 'unnamed'), a.pid, a.state)
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE l.granted AND l.pid <> pg_backend_pid() AND n.nspname || '.' || c.relname = ANY (%(tables)s)
