-- What the session's role may do: who it is, whether it is mighty, how many tables it may write, of how many RLS hides rows.
SELECT current_user,
       r.rolsuper,
       r.rolcreaterole OR r.rolcreatedb,
       r.rolbypassrls OR r.rolsuper,
       (SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
           AND has_schema_privilege(n.oid, 'USAGE')
           AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')),
       (SELECT count(*) FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity
           AND (c.relforcerowsecurity OR NOT pg_has_role(c.relowner, 'USAGE'))),
       current_setting('idle_in_transaction_session_timeout')
FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
