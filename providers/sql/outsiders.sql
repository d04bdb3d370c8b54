-- Roles that sign in and obey nobody here: superusers, and owners of tables (themselves or as a member of one).
SELECT r.rolname::text,
       CASE WHEN r.rolsuper THEN 'superuser'
            ELSE concat_ws(', ', CASE WHEN r.rolbypassrls THEN 'passes by row security' END,
                           CASE WHEN owned.tables > 0 THEN concat('owns ', owned.tables, ' tables') END)
       END
FROM pg_catalog.pg_roles r
CROSS JOIN LATERAL (
    SELECT count(*) AS tables
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND pg_catalog.pg_has_role(r.oid, c.relowner, 'MEMBER')
) AS owned
WHERE r.rolcanlogin AND (r.rolsuper OR r.rolbypassrls OR owned.tables > 0)
ORDER BY 1
