-- Ties of objects that this transaction made: to something temporary, which takes them along when the session ends; and
-- of sequences to the column whose table takes them along.
SELECT k.relname::pg_catalog.text, c.objid::pg_catalog.int8, c.objsubid, a.type, a.object_names, r.schema ~ '^pg_temp'
FROM pg_catalog.pg_depend c JOIN pg_catalog.pg_class k ON k.oid = c.classid
LEFT JOIN pg_catalog.pg_class s ON s.oid = c.objid AND c.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND s.relkind = 'S',
  LATERAL pg_catalog.pg_identify_object_as_address(c.classid, c.objid, c.objsubid) a,
  LATERAL pg_catalog.pg_identify_object(c.refclassid, c.refobjid, 0) r
WHERE (r.schema ~ '^pg_temp' OR (s.oid IS NOT NULL AND c.deptype = 'a')) AND {condition}
