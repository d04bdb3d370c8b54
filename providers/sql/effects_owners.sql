-- What each object is a part of: the table of an index, the parent of a partition, the extension of a member; upwards.
WITH RECURSIVE up AS (
  SELECT o.number, o.classid, o.objid, o.sub
  FROM ROWS FROM (pg_catalog.unnest(%(classes)s::pg_catalog.text[]), pg_catalog.unnest(%(oids)s::pg_catalog.oid[]), pg_catalog.unnest(%(parts)s::pg_catalog.int4[]))
    WITH ORDINALITY AS g(class, objid, sub, number),
    LATERAL (SELECT g.number, g.class::pg_catalog.regclass::pg_catalog.oid AS classid, g.objid, g.sub) o
  UNION
  SELECT up.number, r.classid, r.objid, CASE WHEN %(any)s THEN r.sub ELSE 0 END FROM up, LATERAL (
    SELECT d.refclassid AS classid, d.refobjid AS objid, d.refobjsubid AS sub FROM pg_catalog.pg_depend d
    WHERE d.classid = up.classid AND d.objid = up.objid AND (up.sub = 0 OR d.objsubid IN (0, up.sub)) AND (%(any)s OR d.deptype IN ('a', 'i', 'P', 'S', 'e'))
    UNION ALL
    SELECT d.classid, d.objid, d.objsubid FROM pg_catalog.pg_depend d
    WHERE %(any)s AND d.refclassid = up.classid AND d.refobjid = up.objid AND d.deptype = 'i'
    UNION ALL
    SELECT up.classid, i.inhparent, 0 FROM pg_catalog.pg_inherits i
    WHERE up.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND i.inhrelid = up.objid
    UNION ALL
    SELECT up.classid, a.adrelid, 0 FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attrdef a ON a.oid = d.objid
    WHERE d.refclassid = up.classid AND d.refobjid = up.objid AND d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
      AND EXISTS (SELECT FROM pg_catalog.pg_sequence s WHERE s.seqrelid = up.objid)
  ) r
)
SELECT DISTINCT up.number::pg_catalog.int8, found.kind, found.names
FROM up, LATERAL (VALUES (0), (up.sub)) one(sub), LATERAL (
  SELECT a.type AS kind, CASE WHEN up.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
    THEN (SELECT ARRAY[n.nspname::pg_catalog.text, y.typname::pg_catalog.text] FROM pg_catalog.pg_type y
          JOIN pg_catalog.pg_namespace n ON n.oid = y.typnamespace WHERE y.oid = up.objid)
    ELSE a.object_names END AS names
  FROM pg_catalog.pg_identify_object_as_address(up.classid, up.objid, one.sub) a
) found
WHERE found.names IS NOT NULL
