-- row_security_active() raises under row_security = off, so its rule is written out (5.9 Row Security Policies).
SELECT format('%%I.%%I', n.nspname, c.relname),
       has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),
       CASE WHEN NOT c.relrowsecurity THEN false
            WHEN (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) THEN false
            WHEN pg_has_role(c.relowner, 'USAGE') THEN c.relforcerowsecurity ELSE true END,
       current_user::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY (%(oids)s::oid[]) ORDER BY 1
