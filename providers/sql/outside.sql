-- What a database holds besides the tables that policies name: topic, how many, examples. Catalogue and sizes only.
WITH tables AS (
  SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, pg_relation_size(c.oid) > 0 AS filled,
    EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') AS extension
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
), topics(topic, name) AS (
  SELECT 'auth', format('%s.%s', nspname, relname) FROM tables WHERE nspname = 'auth' AND filled
  UNION ALL SELECT 'storage rows', format('%s.%s', nspname, relname) FROM tables WHERE nspname = 'storage' AND filled
  UNION ALL SELECT 'storage files', 'behind storage.objects' FROM tables WHERE nspname = 'storage' AND relname = 'objects' AND filled
  UNION ALL SELECT 'vault', 'vault.secrets' FROM tables WHERE nspname = 'vault' AND relname = 'secrets' AND filled
  UNION ALL SELECT 'cron jobs', 'cron.job' FROM tables WHERE nspname = 'cron' AND relname = 'job' AND filled
  UNION ALL SELECT DISTINCT 'roles', r.rolname::text FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
    WHERE d.refclassid = 'pg_authid'::regclass AND r.rolname !~ '^pg_'
      AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  UNION ALL SELECT 'settings', coalesce(pg_get_userbyid(nullif(s.setrole, 0))::text, 'the database') FROM pg_db_role_setting s
    WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
  UNION ALL SELECT 'large objects', oid::text FROM pg_largeobject_metadata
  UNION ALL SELECT 'unlogged tables', format('%s.%s', nspname, relname) FROM tables WHERE relpersistence = 'u' AND filled
  UNION ALL SELECT 'extension tables', format('%s.%s', nspname, relname) FROM tables
    WHERE extension AND filled AND nspname NOT IN ('auth', 'storage', 'vault', 'cron')
  UNION ALL SELECT 'foreign tables', format('%s.%s', nspname, relname) FROM tables WHERE relkind = 'f'
  UNION ALL SELECT 'publications', pubname::text FROM pg_publication
  UNION ALL SELECT 'subscriptions', subname::text FROM pg_subscription
    WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT topic, count(*), (array_agg(name ORDER BY name))[1:20] FROM topics GROUP BY topic
