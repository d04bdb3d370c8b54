-- Functions that no relation's own: behind operators (by name), behind casts and operator classes, and at each DDL command.
SELECT 'operator', o.oprname::pg_catalog.text, n.nspname::pg_catalog.text, pg_catalog.format('%I.%I', fn.nspname, f.proname), coalesce(e.extname, '')::pg_catalog.text
FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
JOIN pg_catalog.pg_proc f ON f.oid = o.oprcode JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace
LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = f.oid AND d.deptype = 'e'
LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
WHERE n.nspname <> 'pg_catalog'
UNION ALL
SELECT DISTINCT 'rows', '', '', pg_catalog.format('%I.%I', fn.nspname, f.proname), ''
FROM pg_catalog.pg_proc f JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace
WHERE fn.nspname <> 'pg_catalog'
  AND f.oid IN (SELECT castfunc FROM pg_catalog.pg_cast UNION SELECT amproc FROM pg_catalog.pg_amproc
                UNION SELECT rngcanonical FROM pg_catalog.pg_range UNION SELECT rngsubdiff FROM pg_catalog.pg_range)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = f.oid AND d.deptype = 'e')
UNION ALL
SELECT 'ddl', t.evtname::pg_catalog.text, '', pg_catalog.format('%I.%I', fn.nspname, f.proname), ''
FROM pg_catalog.pg_event_trigger t JOIN pg_catalog.pg_proc f ON f.oid = t.evtfoid
JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace JOIN pg_catalog.pg_roles o ON o.oid = f.proowner
WHERE t.evtenabled <> 'D' AND o.rolname <> 'supabase_admin'
