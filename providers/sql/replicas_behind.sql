SELECT coalesce(max(extract(epoch FROM coalesce(replay_lag, interval '0'))), 0),
       coalesce(max(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), replay_lsn)), 0) / 1048576.0,
       count(*) FILTER (WHERE state IS NULL)
FROM pg_catalog.pg_stat_replication
WHERE state IS DISTINCT FROM 'backup'
