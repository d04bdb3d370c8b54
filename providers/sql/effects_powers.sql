-- What this role could do in a way that no transaction's own counters show.
WITH mine AS (
  SELECT r.rolname, r.rolsuper FROM pg_catalog.pg_roles r WHERE pg_catalog.pg_has_role(CURRENT_USER, r.oid, 'MEMBER')
)
SELECT 'it is, or may become, a superuser' FROM mine WHERE rolsuper
UNION ALL
SELECT 'it may run programs on the server (pg_execute_server_program)' FROM mine WHERE rolname = 'pg_execute_server_program'
UNION ALL
SELECT 'it may write files on the server (pg_write_server_files)' FROM mine WHERE rolname = 'pg_write_server_files'
UNION ALL
SELECT pg_catalog.format('it may use the foreign server %%s', s.srvname) FROM pg_catalog.pg_foreign_server s
WHERE pg_catalog.has_server_privilege(s.oid, 'USAGE')
UNION ALL
SELECT pg_catalog.format('it may use the language %%s, which nothing confines', l.lanname) FROM pg_catalog.pg_language l
WHERE NOT l.lanpltrusted AND l.lanispl AND pg_catalog.has_language_privilege(l.oid, 'USAGE')
UNION ALL
SELECT pg_catalog.format('it may call the extension %%s, which acts outside of the transaction', e.extname)
FROM pg_catalog.pg_extension e
WHERE e.extname IN ('dblink', 'http', 'pg_net', 'pg_background', 'plproxy', 'aws_s3', 'aws_lambda', 'wrappers')
  AND EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_proc p ON p.oid = d.objid
    WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid AND d.deptype = 'e'
      AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
      AND pg_catalog.has_schema_privilege(p.pronamespace, 'USAGE'))
