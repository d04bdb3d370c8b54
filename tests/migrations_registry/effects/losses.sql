-- Everything that a file could destroy, rewrite, grant or switch off, as (what, name, how it stands).
SELECT 'table', c.oid::regclass::text, format('owner %s', c.relowner::regrole)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL
SELECT 'file', c.oid::regclass::text || '#' || c.oid, c.relfilenode::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL
SELECT 'row security', c.oid::regclass::text, format('%s %s', c.relrowsecurity, c.relforcerowsecurity)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL
SELECT 'column', format('%s.%s#%s', a.attrelid::regclass, a.attname, a.attnum), ''
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL
SELECT 'policy', format('%s of %s', polname, polrelid::regclass),
  format('%s %s %s %s', polcmd, polroles::regrole[], pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) FROM pg_policy
UNION ALL
SELECT 'trigger that fires', format('%s of %s', t.tgname, t.tgrelid::regclass), ''
FROM pg_trigger t WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
UNION ALL
SELECT 'not granted to everybody', format('%s of %s', privilege, c.oid::regclass), ''
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) privilege
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM aclexplode(c.relacl) e WHERE e.grantee = 0 AND e.privilege_type = privilege)
UNION ALL
SELECT 'role', r.rolname, format('%s %s %s %s', r.rolsuper, r.rolcanlogin, r.rolcreaterole, r.rolbypassrls) FROM pg_roles r
UNION ALL
SELECT 'only member', format('%s of %s', r.rolname, g.rolname), '' FROM pg_roles r, pg_roles g
WHERE r.oid <> g.oid AND NOT EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid AND m.roleid = g.oid)
UNION ALL
SELECT 'only default', d.rolname, '' FROM pg_roles d
WHERE NOT EXISTS (SELECT FROM pg_default_acl a, aclexplode(a.defaclacl) e WHERE a.defaclrole = d.oid AND e.grantee <> d.oid)
UNION ALL
SELECT 'function', p.oid::regprocedure::text, format('%s %s', p.proowner::regrole, p.prosecdef)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL
-- What it holds, whatever it is called: a constraint that is only renamed is there.
SELECT 'constraint', format('%s %s%s %s%s of %s', contype, conkey, pg_get_expr(conbin, conrelid), NULLIF(confrelid, 0)::regclass, confkey, conrelid::regclass), ''
FROM pg_constraint WHERE conrelid <> 0 AND contype <> 'n' AND connamespace <> 'pg_catalog'::regnamespace
UNION ALL
SELECT 'view', c.oid::regclass::text, '' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
UNION ALL
SELECT 'view of its caller', c.oid::regclass::text, '' FROM pg_class c
WHERE c.relkind = 'v' AND c.reloptions && '{security_invoker=on,security_invoker=true}'
UNION ALL
SELECT 'counted', c.oid::regclass::text, '' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
