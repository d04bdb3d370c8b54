SELECT (SELECT sum(s.n_tup_ins + s.n_tup_upd + s.n_tup_del) FROM pg_stat_all_tables s
        WHERE s.schemaname || '.' || s.relname = ANY (%(tables)s)),
       (SELECT array_agg(DISTINCT format('%%s (%%s, pid %%s)', a.usename, coalesce(nullif(a.application_name, ''), 'unnamed'), a.pid))
        FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
        JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
          AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
          AND n.nspname || '.' || c.relname = ANY (%(tables)s))
