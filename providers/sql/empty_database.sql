-- Whether nobody made a relation, function or type here, besides what extensions brought; no large object either.
SELECT NOT EXISTS (
  SELECT FROM (
    SELECT 'pg_class'::regclass AS classid, oid, relnamespace AS place FROM pg_class
    UNION ALL SELECT 'pg_proc'::regclass, oid, pronamespace FROM pg_proc
    UNION ALL SELECT 'pg_type'::regclass, oid, typnamespace FROM pg_type WHERE typtype IN ('d', 'e', 'r')
  ) o JOIN pg_namespace n ON n.oid = o.place
  WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.classid AND d.objid = o.oid AND d.deptype IN ('e', 'i'))
) AND NOT EXISTS (SELECT FROM pg_largeobject_metadata)
