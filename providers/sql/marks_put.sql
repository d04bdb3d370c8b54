INSERT INTO supabase_migrations.sampelit_ops_marks (operation, step, batch, key, walked, rows, is_last)
VALUES (%(operation)s, %(step)s, %(batch)s, %(key)s::pg_catalog.text[], %(walked)s, %(rows)s, %(is_last)s)
