SELECT con.conname AS name, con.conrelid::regclass::text AS "table" FROM pg_catalog.pg_constraint con
WHERE con.contype = 'f' AND con.connamespace = 'public'::regnamespace AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = con.conrelid AND i.indkey[0] = con.conkey[1])
ORDER BY 1
