-- The text of functions in the languages that are understood.
SELECT p.oid::pg_catalog.int8, pg_catalog.pg_get_functiondef(p.oid)
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE p.oid = ANY (%(oids)s::pg_catalog.oid[]) AND l.lanname IN ('sql', 'plpgsql')
