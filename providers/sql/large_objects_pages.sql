-- The pages of some large objects. In: their numbers, first and last pages, the bytes of a page.
SELECT w.oid, p.page, pg_catalog.lo_get(w.oid::oid, p.page * {page}, {page}) AS data
FROM unnest({}::bigint[], {}::bigint[], {}::bigint[]) w(oid, first, last) CROSS JOIN LATERAL generate_series(w.first, w.last) p(page)
