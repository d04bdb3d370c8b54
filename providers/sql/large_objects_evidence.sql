-- Count and digest of pages as they lie in the database now.
SELECT count(*), coalesce(sum(pg_catalog.hash_record_extended(
  ROW(oid, page, pg_catalog.lo_get(oid::oid, page * {page}, {page})), 0)::numeric), 0)::text FROM {pages}
