-- Foreign keys of tables outside a set onto some targets, whose rows go or change when the targets' rows are deleted.
SELECT n.nspname, c.relname, tn.nspname, t.relname, k.confdeltype = 'c',
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u (attnum, place)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum ORDER BY place),
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u (attnum, place)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum ORDER BY place)
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class t ON t.oid = k.confrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confdeltype IN ('c', 'n', 'd')
  AND CASE WHEN tn.nspname ~ '^"|[.]' THEN quote_ident(tn.nspname) ELSE tn.nspname END || '.' || t.relname = ANY (%(targets)s::text[])
  AND NOT CASE WHEN n.nspname ~ '^"|[.]' THEN quote_ident(n.nspname) ELSE n.nspname END || '.' || c.relname = ANY (%(tables)s::text[])
ORDER BY 1, 2, k.conname
