-- Rows of one catalog that a running transaction, this one or a younger one, is removing or replacing: seen from outside
-- they still stand, with its id as xmax. An id behind the newest known one is no transaction's (rows locked together).
SELECT {keys} FROM (
  SELECT c.*, %(xid)s::pg_catalog.int8
    + (c.xmax::pg_catalog.text::pg_catalog.int8 - %(xid)s::pg_catalog.int8 %% 4294967296 + 4294967296) %% 4294967296 AS remover
  FROM pg_catalog.{catalog} c WHERE c.xmax <> '0'::pg_catalog.xid
) c
WHERE CASE
  WHEN remover < %(newest)s::pg_catalog.int8
  THEN pg_catalog.pg_xact_status(remover::pg_catalog.text::pg_catalog.xid8) = 'in progress' ELSE false END
