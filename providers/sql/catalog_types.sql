-- The statements that rebuild user types and the extensions that own some of them, in an order that works.
WITH chosen AS (
    SELECT t.*, n.nspname, format('%%I.%%I', n.nspname, t.typname) AS qualified,
           (SELECT e.extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
            WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e') AS extension
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.oid = ANY (%(types)s::oid[]) AND n.nspname NOT IN ('pg_catalog', 'information_schema')
)
SELECT 0, 'schema', nspname, format('CREATE SCHEMA IF NOT EXISTS %%I', nspname), 0 FROM chosen GROUP BY nspname
UNION ALL
SELECT DISTINCT 1, 'extension', c.extension, format('CREATE SCHEMA IF NOT EXISTS %%1$I; CREATE EXTENSION IF NOT EXISTS %%2$I WITH SCHEMA %%1$I', n.nspname, c.extension), 0
FROM chosen c JOIN pg_extension e ON e.extname = c.extension JOIN pg_namespace n ON n.oid = e.extnamespace
UNION ALL
SELECT 2, 'enum', c.qualified, format('CREATE TYPE %%s AS ENUM (%%s)', c.qualified,
       (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = c.oid)), c.oid::bigint
FROM chosen c WHERE c.typtype = 'e' AND c.extension IS NULL
UNION ALL
SELECT 2, 'domain', c.qualified, format('CREATE DOMAIN %%s AS %%s%%s%%s%%s', c.qualified, format_type(c.typbasetype, c.typtypmod),
       CASE WHEN c.typnotnull THEN ' NOT NULL' ELSE '' END, coalesce(' DEFAULT ' || c.typdefault, ''),
       (SELECT string_agg(format(' CONSTRAINT %%I %%s', k.conname, pg_get_constraintdef(k.oid)), '' ORDER BY k.conname)
        FROM pg_constraint k WHERE k.contypid = c.oid AND k.contype = 'c')), c.oid::bigint
FROM chosen c WHERE c.typtype = 'd' AND c.extension IS NULL
UNION ALL
SELECT 2, 'composite', c.qualified, format('CREATE TYPE %%s AS (%%s)', c.qualified,
       (SELECT string_agg(format('%%I %%s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = c.typrelid AND a.attnum > 0 AND NOT a.attisdropped)), c.oid::bigint
FROM chosen c JOIN pg_class r ON r.oid = c.typrelid AND r.relkind = 'c' WHERE c.typtype = 'c' AND c.extension IS NULL
UNION ALL
SELECT 2, 'range', c.qualified, format('CREATE TYPE %%s AS RANGE (SUBTYPE = %%s)', c.qualified, format_type(g.rngsubtype, NULL)), c.oid::bigint
FROM chosen c JOIN pg_range g ON g.rngtypid = c.oid WHERE c.typtype = 'r' AND c.extension IS NULL
ORDER BY 1, 5, 3
