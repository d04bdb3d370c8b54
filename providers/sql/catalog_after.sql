-- What is built once the rows are in: sequences' values, keys, checks, indexes, references, policies.
SELECT 0 AS step, 'sequence_value' AS kind, c.relname AS name,
       format('SELECT pg_catalog.setval(%%L, %%s, true)', format('%%I.%%I', n.nspname, c.relname), s.last_value) AS sql, true AS inside,
       rn.nspname || '.' || r.relname AS owner, '' AS leads_to
FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S' JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class r ON r.oid = d.refobjid JOIN pg_namespace rn ON rn.oid = r.relnamespace
JOIN pg_sequences s ON s.schemaname = n.nspname AND s.sequencename = c.relname
WHERE d.classid = 'pg_class'::regclass AND d.refobjid = ANY (%(oids)s::oid[]) AND d.deptype IN ('a', 'i') AND s.last_value IS NOT NULL
UNION ALL
SELECT CASE k.contype WHEN 'p' THEN 1 WHEN 'u' THEN 2 WHEN 'c' THEN 3 WHEN 'x' THEN 4 ELSE 6 END,
       CASE k.contype WHEN 'p' THEN 'primary_key' WHEN 'u' THEN 'unique' WHEN 'c' THEN 'check' WHEN 'x' THEN 'exclusion' ELSE 'foreign_key' END,
       k.conname, format('ALTER TABLE %%I.%%I ADD CONSTRAINT %%I %%s', n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid)),
       k.contype <> 'f' OR k.confrelid = ANY (%(oids)s::oid[]),
       n.nspname || '.' || c.relname, coalesce((SELECT fn.nspname || '.' || f.relname FROM pg_class f JOIN pg_namespace fn ON fn.oid = f.relnamespace
       WHERE f.oid = k.confrelid), '')
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.conrelid = ANY (%(oids)s::oid[]) AND k.contype IN ('p', 'u', 'c', 'x', 'f') AND k.conparentid = 0
  AND (k.coninhcount = 0 OR k.conislocal)
UNION ALL
SELECT 5, 'index', c.relname, pg_get_indexdef(i.indexrelid), true, rn.nspname || '.' || r.relname, ''
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class r ON r.oid = i.indrelid JOIN pg_namespace rn ON rn.oid = r.relnamespace
WHERE i.indrelid = ANY (%(oids)s::oid[]) AND NOT c.relispartition AND i.indisvalid
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
UNION ALL
SELECT 7, 'row_security', c.relname, format('ALTER TABLE %%I.%%I ENABLE ROW LEVEL SECURITY', n.nspname, c.relname), true, n.nspname || '.' || c.relname, ''
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY (%(oids)s::oid[]) AND c.relrowsecurity
UNION ALL
SELECT 7, 'row_security', c.relname, format('ALTER TABLE %%I.%%I FORCE ROW LEVEL SECURITY', n.nspname, c.relname), true, n.nspname || '.' || c.relname, ''
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY (%(oids)s::oid[]) AND c.relforcerowsecurity
UNION ALL
SELECT 8, 'policy', p.policyname, format('CREATE POLICY %%I ON %%I.%%I AS %%s FOR %%s TO %%s%%s%%s', p.policyname, p.schemaname, p.tablename,
       p.permissive, p.cmd, (SELECT string_agg(CASE WHEN r = 'public' THEN 'PUBLIC' ELSE quote_ident(r) END, ', ') FROM unnest(p.roles) r),
       coalesce(' USING (' || p.qual || ')', ''), coalesce(' WITH CHECK (' || p.with_check || ')', '')), true,
       p.schemaname || '.' || p.tablename, ''
FROM pg_policies p JOIN pg_namespace n ON n.nspname = p.schemaname JOIN pg_class c ON c.relname = p.tablename AND c.relnamespace = n.oid
WHERE c.oid = ANY (%(oids)s::oid[])
ORDER BY step, name
