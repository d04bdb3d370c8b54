-- Every ordinary relation outside the system schemas: what a reviewer of SQL wants to know about it.
SELECT n.nspname, c.relname,
       CASE WHEN c.reltuples < 0 THEN coalesce(s.n_live_tup, 0) ELSE c.reltuples::bigint END,
       CASE WHEN c.relkind IN ('v', 'f') THEN 0 ELSE pg_catalog.pg_total_relation_size(c.oid) END,
       (SELECT coalesce(jsonb_object_agg(a.attname, jsonb_build_array(pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
                 CASE WHEN a.attcollation <> t.typcollation THEN l.collname ELSE '' END)), '{}')
          FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
          LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
       (SELECT coalesce(jsonb_object_agg(k.conname, jsonb_build_array(a.attname, k.convalidated)), '{}')
          FROM pg_catalog.pg_constraint k
          JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (k.conkey)
         WHERE k.conrelid = c.oid AND k.contype = 'c'
           AND pg_catalog.pg_get_expr(k.conbin, k.conrelid) = pg_catalog.format('(%I IS NOT NULL)', a.attname)),
       (SELECT coalesce(jsonb_object_agg(x.relname, jsonb_build_array(i.indisvalid, i.indpred IS NULL,
                 (SELECT coalesce(jsonb_agg(a.attname ORDER BY position), '[]')
                    FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS key (number, position)
                    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = key.number),
                 i.indisunique)), '{}')
          FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid),
       (SELECT coalesce(max(extract(epoch FROM pg_catalog.clock_timestamp() - b.xact_start))::int, 0)
          FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity b ON b.pid = l.pid
         WHERE l.relation = c.oid AND b.pid <> pg_catalog.pg_backend_pid()
           AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())),
       coalesce(s.n_tup_ins + s.n_tup_upd + s.n_tup_del, 0),
       (SELECT coalesce(jsonb_object_agg(column_name, made), '{}')
          FROM (SELECT a.attname AS column_name, jsonb_agg(DISTINCT found.name ORDER BY found.name) AS made
                  FROM (SELECT 'check ' || k.conname AS name, key AS number
                          FROM pg_catalog.pg_constraint k, unnest(k.conkey) AS key
                         WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.convalidated
                        UNION ALL
                        SELECT 'index ' || x.relname, d.refobjsubid
                          FROM pg_catalog.pg_index i
                          JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
                          JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = x.oid
                           AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid > 0
                         WHERE i.indrelid = c.oid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)) AS found
                  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = found.number
                 GROUP BY a.attname) AS of_columns),
       (SELECT coalesce(jsonb_object_agg(k.conname, jsonb_build_array(rn.nspname, r.relname,
                 (SELECT jsonb_agg(a.attname ORDER BY a.attnum)
                    FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (k.conkey)))), '{}')
          FROM pg_catalog.pg_constraint k
          JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
          JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
         WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid),
       (SELECT jsonb_build_object('key',
                 (SELECT coalesce(jsonb_agg(a.attname ORDER BY position), '[]')
                    FROM unnest(p.partattrs::int2[]) WITH ORDINALITY AS key (number, position)
                    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = key.number),
                 'default', (SELECT jsonb_build_array(dn.nspname, e.relname)
                               FROM pg_catalog.pg_class e JOIN pg_catalog.pg_namespace dn ON dn.oid = e.relnamespace
                              WHERE e.oid = p.partdefid))
          FROM pg_catalog.pg_partitioned_table p WHERE p.partrelid = c.oid)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
 WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname NOT LIKE 'pg\_temp%'
