-- Stored columns that code or a configuration of somebody's own computes, where the topmost table has them; who has them.
WITH RECURSIVE above(oid) AS (
  SELECT %(table)s::regclass::oid UNION SELECT i.inhparent FROM above a JOIN pg_inherits i ON i.inhrelid = a.oid
), heirs(top, oid) AS (
  SELECT oid, oid FROM above UNION SELECT h.top, i.inhrelid FROM heirs h JOIN pg_inherits i ON i.inhparent = h.oid
)
SELECT n.nspname, c.relname, a.attname, ARRAY(
  SELECT CASE WHEN hn.nspname ~ '^"|[.]' THEN quote_ident(hn.nspname) ELSE hn.nspname END || '.' || hc.relname FROM heirs h JOIN pg_class hc ON hc.oid = h.oid
  JOIN pg_namespace hn ON hn.oid = hc.relnamespace WHERE h.top = c.oid)
FROM above JOIN pg_class c ON c.oid = above.oid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attgenerated = 's' AND a.attinhcount = 0
JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE EXISTS (SELECT FROM pg_depend p WHERE p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
              AND p.refclassid <> 'pg_class'::regclass)
ORDER BY 1, 2, 3
