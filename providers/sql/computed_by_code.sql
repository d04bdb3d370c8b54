-- Tables with stored columns that code or a configuration of somebody's own computes: these columns with their types and
-- expressions, and what the expressions read that an UPDATE may set.
SELECT n.nspname, c.relname,
  jsonb_object_agg(a.attname, format('CAST((%s) AS %s)', pg_get_expr(d.adbin, d.adrelid), format_type(a.atttypid, a.atttypmod))),
  ARRAY(SELECT DISTINCT r.attname::text FROM pg_attrdef e
        JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = e.oid AND p.refobjid = c.oid
        JOIN pg_attribute r ON r.attrelid = c.oid AND r.attnum = p.refobjsubid AND r.attgenerated = '' AND r.attidentity <> 'a'
        WHERE e.adrelid = c.oid ORDER BY 1)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attgenerated = 's' AND NOT a.attisdropped
JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind = 'r' AND EXISTS (SELECT FROM pg_depend p WHERE p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
                                  AND p.refclassid <> 'pg_class'::regclass)
GROUP BY c.oid, n.nspname, c.relname ORDER BY 1, 2
