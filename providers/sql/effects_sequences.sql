-- The last value of every sequence that this role may read; planned as a CASE, because only sequences have such rights.
SELECT s.seqrelid::pg_catalog.int8,
  CASE WHEN pg_catalog.has_sequence_privilege(s.seqrelid, 'SELECT, USAGE') THEN pg_catalog.pg_sequence_last_value(s.seqrelid) END
FROM pg_catalog.pg_sequence s
