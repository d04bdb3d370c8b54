-- Every column with what decides its copying: all types reachable from it, and whether they are sent in binary.
WITH RECURSIVE reach(top, oid) AS (
    SELECT atttypid, atttypid FROM pg_attribute
    WHERE attrelid = ANY (%(oids)s::oid[]) AND attnum > 0 AND NOT attisdropped
    UNION
    SELECT r.top, next.oid
    FROM reach r JOIN pg_type t ON t.oid = r.oid CROSS JOIN LATERAL (
        SELECT t.typbasetype AS oid WHERE t.typtype = 'd'
        UNION ALL SELECT t.typelem WHERE t.typcategory = 'A' AND t.typelem <> 0
        UNION ALL SELECT a.atttypid FROM pg_attribute a
                  WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL SELECT g.rngsubtype FROM pg_range g WHERE t.typtype = 'r' AND g.rngtypid = t.oid
        UNION ALL SELECT g.rngtypid FROM pg_range g WHERE t.typtype = 'm' AND g.rngmultitypid = t.oid
    ) AS next
), types AS (
    SELECT r.top,
           array_agg(DISTINCT CASE WHEN n.nspname = 'pg_catalog' THEN t.typname ELSE t.typtype::text || ':' || t.oid END)
               FILTER (WHERE NOT (t.typcategory = 'A' AND t.typelem <> 0) AND t.typtype <> 'd') AS leaves,
           -- tsqueryrecv refuses the empty query that tsquerysend gives ("operand not found").
           -- What points to an object by its number (reg…) travels by name.
           bool_and(t.typsend <> 0 AND t.typreceive <> 0 AND t.oid <> 'pg_catalog.tsquery'::regtype
                    AND NOT (n.nspname = 'pg_catalog' AND t.typname LIKE 'reg%%')) AS binary_io
    FROM reach r JOIN pg_type t ON t.oid = r.oid JOIN pg_namespace n ON n.oid = t.typnamespace
    GROUP BY 1
)
SELECT a.attrelid::bigint, a.attname, format_type(a.atttypid, a.atttypmod), a.attgenerated <> '', coalesce(co.collisdeterministic, true),
       y.leaves::text[], t.oid = 'xml'::regtype OR t.typbasetype = 'xml'::regtype, y.binary_io
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
JOIN types y ON y.top = a.atttypid
LEFT JOIN pg_collation co ON co.oid = a.attcollation
WHERE a.attrelid = ANY (%(oids)s::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
