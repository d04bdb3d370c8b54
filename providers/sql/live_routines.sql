-- Functions, procedures and aggregates that PostgreSQL does not ship: their text where it can be read, else why not.
SELECT n.nspname::pg_catalog.text, p.proname::pg_catalog.text,
  CASE WHEN e.extname IS NULL AND p.prokind IN ('f', 'p', 'w') AND l.lanname IN ('sql', 'plpgsql')
       THEN pg_catalog.pg_get_functiondef(p.oid) ELSE '' END,
  coalesce(e.extname, '')::pg_catalog.text, l.lanname::pg_catalog.text,
  ARRAY(SELECT pg_catalog.format('%I.%I', fn.nspname, f.proname)
          FROM pg_catalog.pg_aggregate a
          JOIN pg_catalog.pg_proc f ON f.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)
          JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace
         WHERE a.aggfnoid = p.oid)
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'
LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
