-- Rows of one catalog by a condition, with the object that each of them tells about.
SELECT t.key, pg_catalog.to_jsonb(t) - 'key', k.relname::pg_catalog.text, t.{object_}::pg_catalog.oid::pg_catalog.int8, a.type,
  CASE WHEN k.relname = 'pg_type' AND {part} = 0
    THEN (SELECT ARRAY[n.nspname::pg_catalog.text, y.typname::pg_catalog.text] FROM pg_catalog.pg_type y
          JOIN pg_catalog.pg_namespace n ON n.oid = y.typnamespace WHERE y.oid = t.{object_})
    ELSE a.object_names END,
  a.object_args
FROM (SELECT {keys} AS key, c.* FROM pg_catalog.{catalog} c WHERE {condition}) t
LEFT JOIN pg_catalog.pg_class k ON k.oid = {class_}
LEFT JOIN LATERAL pg_catalog.pg_identify_object_as_address({class_}, t.{object_}, {part}) a ON true
