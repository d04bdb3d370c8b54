-- Foreign keys with what they do to their own rows: deleted, updated, or nothing.
SELECT cn.nspname::pg_catalog.text, c.relname::pg_catalog.text, pn.nspname::pg_catalog.text, p.relname::pg_catalog.text,
  CASE k.confdeltype WHEN 'c' THEN 'deleted' WHEN 'n' THEN 'updated' WHEN 'd' THEN 'updated' ELSE '' END,
  CASE WHEN k.confupdtype IN ('c', 'n', 'd') THEN 'updated' ELSE '' END
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
JOIN pg_catalog.pg_class p ON p.oid = k.confrelid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
WHERE k.contype = 'f'
