-- Objects that this transaction tied to an extension: ALTER EXTENSION … ADD, DEPENDS ON EXTENSION.
SELECT a.type, a.object_names, k.relname::pg_catalog.text, c.objid::pg_catalog.int8
FROM pg_catalog.pg_depend c JOIN pg_catalog.pg_class k ON k.oid = c.classid,
  LATERAL pg_catalog.pg_identify_object_as_address(c.classid, c.objid, c.objsubid) a
WHERE c.deptype IN ('e', 'x') AND {condition}
