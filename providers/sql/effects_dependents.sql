-- What goes along when the named objects are dropped with CASCADE: views, foreign keys, columns, functions, tables.
WITH RECURSIVE roots AS (
  SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AS classid, pg_catalog.to_regclass(n.name)::pg_catalog.oid AS objid, 0 AS sub
  FROM pg_catalog.unnest(%(names)s::pg_catalog.text[]) n(name)
  UNION
  SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid, pg_catalog.to_regtype(n.name)::pg_catalog.oid, 0
  FROM pg_catalog.unnest(%(names)s::pg_catalog.text[]) n(name) WHERE pg_catalog.to_regclass(n.name) IS NULL
  UNION
  SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid, pg_catalog.to_regnamespace(n.name)::pg_catalog.oid, 0
  FROM pg_catalog.unnest(%(names)s::pg_catalog.text[]) n(name)
  UNION
  SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid, pg_catalog.to_regproc(n.name)::pg_catalog.oid, 0
  FROM pg_catalog.unnest(%(names)s::pg_catalog.text[]) n(name)
  UNION
  SELECT 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid, e.oid, 0 FROM pg_catalog.pg_extension e WHERE e.extname = ANY (%(extensions)s)
  UNION
  SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, a.attrelid, a.attnum
  FROM ROWS FROM (pg_catalog.unnest(%(columns)s::pg_catalog.text[]), pg_catalog.unnest(%(tables)s::pg_catalog.text[])) c(name, relation)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = pg_catalog.to_regclass(c.relation)::pg_catalog.oid AND a.attname = c.name
), down AS (
  SELECT classid, objid, sub, false AS told FROM roots WHERE objid IS NOT NULL
  UNION
  SELECT d.classid, d.objid, d.objsubid, d.deptype = 'n' OR (down.told AND d.deptype = 'i') FROM down, LATERAL (
    SELECT p.classid, p.objid, p.objsubid, p.deptype FROM pg_catalog.pg_depend p
    WHERE p.refclassid = down.classid AND p.refobjid = down.objid AND (down.sub = 0 OR p.refobjsubid = down.sub)
    UNION ALL
    SELECT p.refclassid, p.refobjid, p.refobjsubid, p.deptype FROM pg_catalog.pg_depend p
    WHERE p.classid = down.classid AND p.objid = down.objid AND p.deptype = 'i' AND down.told
  ) d
)
SELECT DISTINCT a.type, pg_catalog.array_to_string(a.object_names, '.')
FROM down, LATERAL pg_catalog.pg_identify_object_as_address(down.classid, down.objid, down.sub) a
WHERE down.told AND a.type NOT IN ('rule', 'toast table') AND NOT (a.type = 'trigger' AND a.object_names[3] ~ '^RI_ConstraintTrigger_')
  AND NOT EXISTS (SELECT FROM roots r WHERE (r.classid, r.objid, r.sub) = (down.classid, down.objid, down.sub))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_type t WHERE down.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND t.oid = down.objid AND (t.typrelid <> 0 OR t.typelem <> 0))
ORDER BY 1, 2 LIMIT 100
