, tied AS (
  SELECT DISTINCT refobjid AS oid FROM pg_shdepend
  WHERE refclassid = 'pg_authid'::regclass AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
), roles AS (  -- whom something belongs or is granted to here, who may act for these, and what these are members of
  WITH RECURSIVE
    down(oid) AS (SELECT oid FROM tied UNION SELECT a.member FROM down JOIN pg_auth_members a ON a.roleid = down.oid),
    up(oid) AS (SELECT oid FROM tied UNION SELECT a.roleid FROM up JOIN pg_auth_members a ON a.member = up.oid)
  SELECT * FROM pg_roles WHERE rolname !~ '^pg_' AND oid IN (SELECT oid FROM down UNION SELECT oid FROM up)
)
SELECT 'role', quote_ident(rolname), '', concat_ws(' ', '--', CASE WHEN rolsuper THEN 'SUPERUSER' END, CASE WHEN rolinherit THEN 'INHERIT' END,
  CASE WHEN rolcreaterole THEN 'CREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' END, CASE WHEN rolcanlogin THEN 'LOGIN' END,
  CASE WHEN rolreplication THEN 'REPLICATION' END, CASE WHEN rolbypassrls THEN 'BYPASSRLS' END, 'connections', rolconnlimit)
FROM roles
UNION ALL
SELECT 'role membership', format('%I in %I', m.rolname, g.rolname), '', format('-- admin %s%s', a.admin_option,
  ' inherit ' || (to_jsonb(a) ->> 'inherit_option') || ' set ' || (to_jsonb(a) ->> 'set_option'))
FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN roles m ON m.oid = a.member
WHERE g.rolname ~ '^pg_' OR g.oid IN (SELECT oid FROM roles)
UNION ALL
SELECT 'settings', format('of %s', coalesce('role ' || quote_ident(pg_get_userbyid(nullif(s.setrole, 0))), 'the database')), '',
  '-- ' || array_to_string(ARRAY(SELECT unnest(s.setconfig) ORDER BY 1), ', ')
FROM pg_db_role_setting s WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION ALL
SELECT 'settings', format('of role %I everywhere', pg_get_userbyid(s.setrole)), '', '-- ' || array_to_string(ARRAY(SELECT unnest(s.setconfig) ORDER BY 1), ', ')
FROM pg_db_role_setting s WHERE s.setdatabase = 0 AND s.setrole IN (SELECT oid FROM roles)
UNION ALL
SELECT 'settings', 'of every role everywhere', '', '-- ' || array_to_string(ARRAY(SELECT unnest(s.setconfig) ORDER BY 1), ', ')
FROM pg_db_role_setting s WHERE s.setdatabase = 0 AND s.setrole = 0
UNION ALL
SELECT 'database grants', format('to %s', CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END), '',
  '-- ' || string_agg(e.privilege_type || CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END, ', ' ORDER BY e.privilege_type)
FROM pg_database d, aclexplode(d.datacl) e WHERE d.datname = current_database() GROUP BY e.grantee
UNION ALL
SELECT 'extension body', quote_ident(x.extname), quote_ident(x.extname), format('-- %s; -- FUNCTIONS %s', md5(string_agg(concat_ws(':', p.proname, a.types,
    p.prolang, p.prosrc, p.probin, p.prosecdef, p.proconfig, CASE WHEN p.prosqlbody IS NOT NULL THEN pg_get_function_sqlbody(p.oid) END), ' '
  ORDER BY p.proname, a.types COLLATE "C")), string_agg(DISTINCT quote_ident(p.proname), ', '))
FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid AND d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
CROSS JOIN LATERAL (SELECT string_agg(t.typname, ',' ORDER BY i.number) AS types
  FROM unnest(p.proargtypes) WITH ORDINALITY i(oid, number) JOIN pg_type t ON t.oid = i.oid) a
GROUP BY x.extname
UNION ALL
SELECT 'extension grants', p.oid::regprocedure::text, quote_ident(x.extname), '-- ' || (SELECT string_agg(format('%s to %s', e.privilege_type,
  CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(e.grantee)::text END), ', ' ORDER BY e.grantee, e.privilege_type) FROM aclexplode(p.proacl) e)
FROM pg_proc p JOIN pg_depend m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid AND m.deptype = 'e' JOIN pg_extension x ON x.oid = m.refobjid
LEFT JOIN pg_init_privs i ON i.classoid = 'pg_proc'::regclass AND i.objoid = p.oid AND i.objsubid = 0
WHERE p.proacl IS NOT NULL AND p.proacl IS DISTINCT FROM i.initprivs
UNION ALL
SELECT 'managed schema', format('%I.%I', n.nspname, c.relname), '', format('-- %s; -- OWNER %I', c.relkind, pg_get_userbyid(c.relowner))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('realtime', '_realtime', 'graphql', 'graphql_public', 'vault', 'net', 'pgbouncer', 'pgsodium', 'pgsodium_masks', 'cron')
  AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND NOT c.relispartition AND pg_get_userbyid(c.relowner) !~ '^(supabase|pgbouncer)'
  AND ('pg_class'::regclass, c.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'managed schema', p.oid::regprocedure::text, '', format('-- %s; -- OWNER %I', md5(p.prosrc), pg_get_userbyid(p.proowner))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname IN ('realtime', '_realtime', 'graphql', 'graphql_public', 'vault', 'net', 'pgbouncer', 'pgsodium', 'pgsodium_masks', 'cron')
  AND pg_get_userbyid(p.proowner) !~ '^(supabase|pgbouncer)' AND ('pg_proc'::regclass, p.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'large objects', 'of ' || pg_get_userbyid(lomowner)::text, '', format('-- rights %s', lomacl::text) FROM pg_largeobject_metadata GROUP BY lomowner, lomacl::text
UNION ALL
SELECT 'reach', full_name, full_name, concat('-- ', concat_ws(', ', CASE WHEN lets & 4 > 0 THEN 'UPDATE' END, CASE WHEN lets & 16 > 0 THEN 'DELETE' END),
  CASE WHEN EXISTS (SELECT FROM pg_options_to_table(r.reloptions) WHERE option_name = 'security_invoker' AND option_value::boolean) THEN '; -- INVOKER' END)
FROM relations r, pg_relation_is_updatable(r.oid, false) lets WHERE r.relkind = 'v' AND lets & 20 > 0
UNION ALL
SELECT 'reach', 'owner of the database', '', format('-- %I', pg_get_userbyid(datdba)) FROM pg_database WHERE datname = current_database()
UNION ALL
SELECT 'reach', 'superuser ' || quote_ident(rolname), '', '' FROM pg_roles WHERE rolsuper
UNION ALL
SELECT 'reach', format('parameter %s to %s', p.parname, CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END), '',
  '-- ' || string_agg(e.privilege_type, ', ' ORDER BY e.privilege_type)
FROM pg_parameter_acl p LEFT JOIN pg_settings s ON lower(s.name) = p.parname CROSS JOIN aclexplode(p.paracl) e LEFT JOIN pg_roles r ON r.oid = e.grantee
WHERE r.rolsuper IS NOT TRUE AND (s.category IS NULL OR s.category !~ '^(Reporting and Logging|Statistics|Query Tuning|Autovacuum|Vacuuming)')
GROUP BY p.parname, e.grantee
UNION ALL
SELECT 'reading', '3', '', ''
