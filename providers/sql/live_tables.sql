-- Every ordinary relation outside the system schemas: what a reviewer of SQL wants to know about it.
SELECT n.nspname, c.relname,
       CASE WHEN c.reltuples < 0 THEN coalesce(s.n_live_tup, 0) ELSE c.reltuples::bigint END,
       CASE WHEN c.relkind IN ('v', 'f') THEN 0 ELSE pg_catalog.pg_total_relation_size(c.oid) END,
       (SELECT coalesce(jsonb_object_agg(a.attname, jsonb_build_array(pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull)), '{}')
          FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
       (SELECT coalesce(array_agg(a.attname::text), '{}')
          FROM pg_catalog.pg_constraint k
          JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (k.conkey)
         WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.convalidated
           AND pg_catalog.pg_get_constraintdef(k.oid) = pg_catalog.format('CHECK ((%I IS NOT NULL))', a.attname)),
       (SELECT coalesce(jsonb_object_agg(x.relname, jsonb_build_array(i.indisvalid, i.indpred IS NULL,
                 (SELECT coalesce(jsonb_agg(a.attname ORDER BY position), '[]')
                    FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS key (number, position)
                    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = key.number))), '{}')
          FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid),
       (SELECT coalesce(max(extract(epoch FROM pg_catalog.clock_timestamp() - b.xact_start))::int, 0)
          FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity b ON b.pid = l.pid
         WHERE l.relation = c.oid AND b.pid <> pg_catalog.pg_backend_pid()
           AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())),
       coalesce(s.n_tup_ins + s.n_tup_upd + s.n_tup_del, 0)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
 WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname NOT LIKE 'pg\_temp%'
