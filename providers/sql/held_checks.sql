-- CHECKs that rows which passed once need not pass again (not immutable, or with a function or operator of somebody's
-- own, also one that computes a column), and that no parent gave: of these tables and of their columns' domains, with `nested` also of those within arrays,
-- ranges and composites, which no ALTER DOMAIN validates. Extensions keep theirs.
-- A CoerceViaIO tells no function: it counts as not immutable. With `order` also what compares text, but by bytes.
WITH RECURSIVE mine AS (
  SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE CASE WHEN n.nspname ~ '^"|[.]' THEN quote_ident(n.nspname) ELSE n.nspname END || '.' || c.relname = ANY (%(tables)s)
), heirs(top, oid) AS (
  SELECT oid, oid FROM mine UNION SELECT h.top, i.inhrelid FROM heirs h JOIN pg_inherits i ON i.inhparent = h.oid
), parts(oid, part, nested) AS (
  SELECT oid, typbasetype, false FROM pg_type WHERE typtype = 'd'
  UNION ALL SELECT oid, typelem, true FROM pg_type WHERE typcategory = 'A' AND typelem <> 0
  UNION ALL SELECT rngtypid, rngsubtype, true FROM pg_range
  UNION ALL SELECT rngmultitypid, rngsubtype, true FROM pg_range
  UNION ALL SELECT t.oid, a.atttypid, true FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid
  WHERE t.typtype = 'c' AND a.attnum > 0 AND NOT a.attisdropped
), used(oid, nested) AS (
  SELECT a.atttypid, false FROM pg_attribute a JOIN mine ON mine.oid = a.attrelid
  WHERE a.attnum > 0 AND NOT a.attisdropped
  UNION SELECT p.part, u.nested OR p.nested FROM used u JOIN parts p ON p.oid = u.oid
), checks AS (
  SELECT 'TABLE' AS kind, nspname, relname, k.oid, k.conname, k.conbin::text AS tree, ARRAY(
    SELECT CASE WHEN hn.nspname ~ '^"|[.]' THEN quote_ident(hn.nspname) ELSE hn.nspname END || '.' || hc.relname FROM heirs h JOIN pg_class hc ON hc.oid = h.oid
    JOIN pg_namespace hn ON hn.oid = hc.relnamespace WHERE h.top = mine.oid) AS holders
  FROM mine JOIN pg_constraint k ON k.conrelid = mine.oid WHERE k.contype = 'c' AND k.coninhcount = 0
  UNION ALL
  SELECT 'DOMAIN', n.nspname, t.typname, k.oid, k.conname, k.conbin::text, ARRAY[CASE WHEN n.nspname ~ '^"|[.]' THEN quote_ident(n.nspname) ELSE n.nspname END || '.' || t.typname]
  FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE k.contype = 'c' AND k.contypid IN (SELECT oid FROM used GROUP BY oid HAVING %(nested)s OR NOT bool_or(nested))
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid
                    AND d.deptype = 'e')
)
SELECT kind, nspname, relname, conname, pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint'), holders
FROM checks
WHERE tree ~ '{(SQLVALUEFUNCTION|COERCEVIAIO) '
  OR (%(order)s AND tree ~ ':inputcollid (?!(0|950|951) )[0-9]')
  OR EXISTS (SELECT FROM regexp_matches(tree, ' :(?:opfuncid|funcid) (\d+)', 'g') m JOIN pg_proc p ON p.oid = m[1]::oid
             WHERE p.provolatile <> 'i')
  OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_constraint'::regclass AND d.objid = checks.oid
             AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass))
  OR EXISTS (SELECT FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
             JOIN pg_attrdef g ON g.adrelid = a.attrelid AND g.adnum = a.attnum
             JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = g.oid
             WHERE k.oid = checks.oid AND a.attgenerated = 's' AND d.refclassid <> 'pg_class'::regclass)
ORDER BY 1 DESC, 2, 3, 4
