-- Views and the relations in their queries, because rows written to a view are rows of those.
SELECT DISTINCT vn.nspname::pg_catalog.text, v.relname::pg_catalog.text, rn.nspname::pg_catalog.text, r.relname::pg_catalog.text
FROM pg_catalog.pg_rewrite w
JOIN pg_catalog.pg_class v ON v.oid = w.ev_class AND v.relkind = 'v' JOIN pg_catalog.pg_namespace vn ON vn.oid = v.relnamespace
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> v.oid
JOIN pg_catalog.pg_class r ON r.oid = d.refobjid AND r.relkind IN ('r', 'p', 'v') JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
WHERE vn.nspname NOT IN ('pg_catalog', 'information_schema')
