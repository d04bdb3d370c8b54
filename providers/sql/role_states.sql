-- What roles are and have, without passwords: attributes, settings by database, memberships.
SELECT 'role', r.rolname::text, (to_jsonb(r) - 'rolconfig' - 'oid')::text FROM pg_catalog.pg_roles r
UNION ALL
SELECT 'role setting', concat_ws(' in ', COALESCE(r.rolname, 'every role'), d.datname), s.setconfig::text
FROM pg_catalog.pg_db_role_setting s
LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
UNION ALL
SELECT 'membership', m.member::regrole || ' of ' || m.roleid::regrole, string_agg((to_jsonb(m) - 'oid')::text, ' ' ORDER BY m.grantor)
FROM pg_catalog.pg_auth_members m GROUP BY m.member, m.roleid
