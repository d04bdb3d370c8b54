-- (relation, one whose triggers, defaults and checks run with its own): parents and heirs, and what views pass rows on to.
SELECT an.nspname::pg_catalog.text, a.relname::pg_catalog.text, bn.nspname::pg_catalog.text, b.relname::pg_catalog.text
FROM (SELECT inhrelid AS one, inhparent AS other FROM pg_catalog.pg_inherits
      UNION ALL SELECT inhparent, inhrelid FROM pg_catalog.pg_inherits
      UNION ALL SELECT w.ev_class, d.refobjid FROM pg_catalog.pg_rewrite w
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> w.ev_class) pairs
JOIN pg_catalog.pg_class a ON a.oid = pairs.one JOIN pg_catalog.pg_namespace an ON an.oid = a.relnamespace
JOIN pg_catalog.pg_class b ON b.oid = pairs.other JOIN pg_catalog.pg_namespace bn ON bn.oid = b.relnamespace
WHERE an.nspname NOT IN ('pg_catalog', 'information_schema') AND bn.nspname NOT IN ('pg_catalog', 'information_schema')
  AND a.relkind NOT IN ('i', 'I') AND b.relkind NOT IN ('i', 'I')
GROUP BY 1, 2, 3, 4
