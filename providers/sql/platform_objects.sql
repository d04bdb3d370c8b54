-- What lies in schemas of the platform's own, as statements that make something of the same shape: tables without rows,
-- functions as they are where their text can be read, else such that answer nothing.
WITH places AS (SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace n WHERE n.nspname = ANY (%(schemas)s))
SELECT 1, 'schema', pg_catalog.quote_ident(p.nspname), pg_catalog.format('CREATE SCHEMA %%I', p.nspname), '{}'::pg_catalog.text[]
FROM places p
UNION ALL
SELECT 2, 'type', pg_catalog.format('%%I.%%I', p.nspname, t.typname),
  pg_catalog.format('CREATE TYPE %%I.%%I AS ENUM (%%s)', p.nspname, t.typname, (
    SELECT pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
    FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid)), '{}'
FROM pg_catalog.pg_type t JOIN places p ON p.oid = t.typnamespace WHERE t.typtype = 'e'
UNION ALL
SELECT 3, 'table', pg_catalog.format('%%I.%%I', p.nspname, c.relname),
  pg_catalog.format('CREATE TABLE %%I.%%I (%%s)', p.nspname, c.relname, pg_catalog.concat_ws(', ', (
    SELECT pg_catalog.string_agg(pg_catalog.format('%%I %%s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), (
    SELECT pg_catalog.string_agg(pg_catalog.pg_get_constraintdef(k.oid), ', ' ORDER BY k.conname)
    FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u')))),
  ARRAY(SELECT pg_catalog.format('ALTER TABLE %%I.%%I ALTER COLUMN %%I SET DEFAULT %%s', p.nspname, c.relname, a.attname,
               pg_catalog.pg_get_expr(d.adbin, d.adrelid))
        FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
        WHERE d.adrelid = c.oid AND a.attgenerated = '' ORDER BY a.attnum)
FROM pg_catalog.pg_class c JOIN places p ON p.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
UNION ALL
SELECT 4, 'function', f.oid::pg_catalog.regprocedure::pg_catalog.text, CASE
  WHEN l.lanname IN ('sql', 'plpgsql') AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.deptype = 'e'
    AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = f.oid) THEN pg_catalog.pg_get_functiondef(f.oid)
  ELSE pg_catalog.format('CREATE FUNCTION %%I.%%I(%%s) RETURNS %%s LANGUAGE plpgsql %%s AS %%L', p.nspname, f.proname,
    pg_catalog.pg_get_function_arguments(f.oid), pg_catalog.pg_get_function_result(f.oid),
    CASE f.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END,
    CASE WHEN f.prorettype = 'pg_catalog.trigger'::pg_catalog.regtype THEN 'BEGIN RETURN new; END'
         WHEN f.proretset OR f.prorettype = 'pg_catalog.void'::pg_catalog.regtype OR f.proargmodes IS NOT NULL THEN 'BEGIN RETURN; END'
         ELSE 'BEGIN RETURN NULL; END' END) END, '{}'
FROM pg_catalog.pg_proc f JOIN places p ON p.oid = f.pronamespace JOIN pg_catalog.pg_language l ON l.oid = f.prolang
WHERE f.prokind = 'f'
ORDER BY 1, 3
