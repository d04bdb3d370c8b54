-- What the current role may do to tables: their owner, all four verbs, ownership, and whether triggers would fire.
SELECT CASE WHEN n.nspname ~ '^"|[.]' THEN quote_ident(n.nspname) ELSE n.nspname END || '.' || c.relname, current_user, pg_get_userbyid(c.relowner),
       has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
       AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'),
       pg_has_role(c.relowner, 'USAGE'),
       EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE CASE WHEN n.nspname ~ '^"|[.]' THEN quote_ident(n.nspname) ELSE n.nspname END || '.' || c.relname = ANY (%(tables)s::text[]) AND c.relkind IN ('r', 'p')
ORDER BY 1
