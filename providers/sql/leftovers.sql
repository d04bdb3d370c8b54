-- Indexes of the named tables (or with these names; no names: of everything), their validity, and who works on the table.
-- What a session is, other roles may not be told: then it counts as somebody at work.
SELECT n.nspname || '.' || x.relname, tn.nspname || '.' || t.relname, i.indisvalid,
       coalesce((SELECT string_agg(format('%%s (pid %%s)', a.usename, a.pid), ', ') FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
                 WHERE l.relation = t.oid AND l.granted AND l.mode = 'ShareUpdateExclusiveLock' AND l.pid <> pg_backend_pid()
                   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                   AND coalesce(a.backend_type, 'client backend') = 'client backend'), '')
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace
JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> 'information_schema'
  AND (%(names)s::text[] = '{}' OR tn.nspname || '.' || t.relname = ANY (%(names)s) OR n.nspname || '.' || x.relname = ANY (%(names)s))
ORDER BY 1
