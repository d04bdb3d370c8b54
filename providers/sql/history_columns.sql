SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'supabase_migrations' AND c.relname = 'schema_migrations' AND a.attnum > 0 AND NOT a.attisdropped
