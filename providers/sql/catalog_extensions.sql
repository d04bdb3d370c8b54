-- Extensions that defaults of the tables call, or (for whole schemas) all of them: functions may call any.
-- Nobody may create pg_catalog (pg_cron lies there), not even where it exists.
SELECT e.extname, format(CASE WHEN n.nspname LIKE 'pg\_%%' THEN '' ELSE 'CREATE SCHEMA IF NOT EXISTS %%1$I; ' END
                         || 'CREATE EXTENSION IF NOT EXISTS %%2$I WITH SCHEMA %%1$I', n.nspname, e.extname)
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname <> 'plpgsql'
  AND (%(all)s OR EXISTS (
    SELECT FROM pg_attrdef a
    JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid AND d.refclassid = 'pg_proc'::regclass
    JOIN pg_depend m ON m.classid = 'pg_proc'::regclass AND m.objid = d.refobjid AND m.deptype = 'e' AND m.refobjid = e.oid
    WHERE a.adrelid = ANY (%(oids)s::oid[])))
ORDER BY 1
