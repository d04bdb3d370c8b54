-- CHECKs of these tables that call a function of somebody's own and that no parent gave them.
SELECT n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'c' AND k.coninhcount = 0 AND k.convalidated AND n.nspname || '.' || c.relname = ANY (%(tables)s)
  AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_constraint'::regclass AND d.objid = k.oid
              AND d.refclassid = 'pg_proc'::regclass)
ORDER BY 1, 2, 3
