-- Which relation an object hangs on, and which one it leads to: by the numbers that an archive's entries carry.
SELECT json_agg(json_build_array(catalog, oid, own, other)) FROM (
  SELECT 'pg_constraint'::regclass::oid::bigint, oid::bigint, conrelid::bigint, confrelid::bigint FROM pg_constraint WHERE conrelid <> 0
  UNION ALL SELECT 'pg_class'::regclass::oid::bigint, indexrelid::bigint, indrelid::bigint, 0 FROM pg_index
  UNION ALL SELECT 'pg_trigger'::regclass::oid::bigint, oid::bigint, tgrelid::bigint, 0 FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT 'pg_policy'::regclass::oid::bigint, oid::bigint, polrelid::bigint, 0 FROM pg_policy
  UNION ALL SELECT 'pg_attrdef'::regclass::oid::bigint, oid::bigint, adrelid::bigint, 0 FROM pg_attrdef
  UNION ALL SELECT 'pg_rewrite'::regclass::oid::bigint, oid::bigint, ev_class::bigint, 0 FROM pg_rewrite
  UNION ALL SELECT 'pg_statistic_ext'::regclass::oid::bigint, oid::bigint, stxrelid::bigint, 0 FROM pg_statistic_ext
  UNION ALL SELECT 'pg_class'::regclass::oid::bigint, d.objid::bigint, d.refobjid::bigint, 0 FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.objid
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
) AS found (catalog, oid, own, other)
