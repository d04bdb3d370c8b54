SELECT batch, key, walked, rows, is_last FROM supabase_migrations.sampelit_ops_marks
WHERE operation = %(operation)s AND step = %(step)s
  AND (%(batch)s::pg_catalog.int4 IS NULL OR batch = %(batch)s::pg_catalog.int4)
ORDER BY batch DESC LIMIT 1
