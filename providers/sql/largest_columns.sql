-- Tables whose values lie beside their rows in such numbers that one may be large: bytes there, columns of variable length.
SELECT c.oid, pg_relation_size(c.reltoastrelid) AS beside, array_agg(a.attname ORDER BY a.attnum),
       array_agg(coalesce(nullif(t.typbasetype, 0), t.oid) IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'bytea'::regtype) ORDER BY a.attnum)
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attlen = -1 AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
WHERE c.oid = ANY (%(oids)s) AND c.reltoastrelid <> 0 AND pg_relation_size(c.reltoastrelid) >= %(least)s
GROUP BY c.oid ORDER BY beside DESC LIMIT %(tables)s
