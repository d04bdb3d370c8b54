SELECT current_user::text,
       pg_is_in_recovery(),
       (SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only'),
       has_schema_privilege('public', 'CREATE'),
       t.oid IS NOT NULL,
       CASE WHEN t.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE')
            ELSE has_schema_privilege(t.relnamespace, 'USAGE') AND has_table_privilege(t.oid, 'SELECT')
                 AND has_table_privilege(t.oid, 'INSERT') END
FROM (SELECT 1) AS one
LEFT JOIN (SELECT c.oid, c.relnamespace FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = 'supabase_migrations' AND c.relname = 'schema_migrations') AS t ON true
