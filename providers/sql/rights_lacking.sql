-- Of these needs those for which the session's role has no right: by place, with whose the thing is, where that matters.
WITH need AS (
  SELECT n.at, n.what, n.name
  FROM pg_catalog.jsonb_to_recordset(%(needs)s::pg_catalog.jsonb) n(at pg_catalog.int4, what pg_catalog.text, name pg_catalog.text)
), owned AS (
  SELECT n.at, n.what, c.relowner AS owner, s.nspowner AS around FROM need n
  JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(n.name) JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
  WHERE n.what IN ('own', 'drop')
  UNION ALL
  SELECT n.at, n.what, t.typowner, s.nspowner FROM need n
  JOIN pg_catalog.pg_type t ON t.oid = pg_catalog.to_regtype(n.name) JOIN pg_catalog.pg_namespace s ON s.oid = t.typnamespace
  WHERE n.what IN ('own type', 'drop type')
  UNION ALL
  SELECT n.at, n.what, f.proowner, s.nspowner FROM need n
  JOIN pg_catalog.pg_proc f ON f.oid = pg_catalog.to_regproc(n.name) JOIN pg_catalog.pg_namespace s ON s.oid = f.pronamespace
  WHERE n.what IN ('own function', 'drop function')
  UNION ALL
  SELECT n.at, n.what, s.nspowner, s.nspowner FROM need n
  JOIN pg_catalog.pg_namespace s ON s.oid = pg_catalog.to_regnamespace(n.name) WHERE n.what = 'own schema'
)
SELECT o.at, pg_catalog.pg_get_userbyid(o.owner)::pg_catalog.text FROM owned o
WHERE NOT pg_catalog.pg_has_role(o.owner, 'USAGE') AND NOT (o.what LIKE 'drop%%' AND pg_catalog.pg_has_role(o.around, 'USAGE'))
UNION ALL
SELECT n.at, '' FROM need n JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(n.name)
WHERE CASE WHEN n.what IN ('INSERT', 'UPDATE', 'REFERENCES') THEN
  NOT pg_catalog.has_table_privilege(c.oid, n.what) AND NOT pg_catalog.has_any_column_privilege(c.oid, n.what)
  WHEN n.what IN ('DELETE', 'TRUNCATE', 'TRIGGER') THEN NOT pg_catalog.has_table_privilege(c.oid, n.what) END
UNION ALL
SELECT n.at, '' FROM need n JOIN pg_catalog.pg_namespace s ON s.oid = pg_catalog.to_regnamespace(n.name)
WHERE n.what = 'create in' AND NOT pg_catalog.has_schema_privilege(s.oid, 'CREATE')
UNION ALL
SELECT n.at, '' FROM need n
WHERE n.what = 'create schema' AND NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')
UNION ALL
SELECT n.at, '' FROM need n JOIN pg_catalog.pg_roles r ON pg_catalog.format('"%%s"', pg_catalog.replace(r.rolname, '"', '""')) = n.name
WHERE n.what = 'be' AND NOT pg_catalog.pg_has_role(r.oid, %(be)s)
UNION ALL
SELECT n.at, '' FROM need n JOIN pg_catalog.pg_roles r ON r.rolname = CURRENT_USER
WHERE n.what = 'change roles' AND NOT (r.rolcreaterole OR r.rolsuper)
ORDER BY 1
