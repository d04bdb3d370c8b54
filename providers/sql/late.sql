-- Transactions that a concurrent index build has to wait for: those of this database that are open for too long.
SELECT format('%%s (%%s, pid %%s, %%s, open for %%s s)', usename, coalesce(nullif(application_name, ''), 'unnamed'), pid, state,
              extract(epoch FROM clock_timestamp() - xact_start)::int)
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
  AND xact_start < clock_timestamp() - make_interval(secs => %(seconds)s) AND (backend_xmin IS NOT NULL OR backend_xid IS NOT NULL)
ORDER BY xact_start
