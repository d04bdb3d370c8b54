-- Every sequence that no extension owns and whether this role may read its value.
SELECT n.nspname, c.relname, coalesce(CASE WHEN rn.nspname ~ '^"|[.]' THEN quote_ident(rn.nspname) ELSE rn.nspname END || '.' || r.relname, ''),
       has_schema_privilege(n.oid, 'USAGE') AND has_sequence_privilege(c.oid, 'SELECT')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
LEFT JOIN pg_class r ON r.oid = d.refobjid LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
WHERE c.relkind = 'S' AND c.relpersistence <> 't'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
ORDER BY 1, 2
