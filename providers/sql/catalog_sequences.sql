-- Sequences that belong to columns of the set by OWNED BY; identity columns make their own.
SELECT format('%%I.%%I', n.nspname, c.relname),
       format('CREATE SEQUENCE %%I.%%I AS %%s START %%s INCREMENT %%s MINVALUE %%s MAXVALUE %%s CACHE %%s%%s', n.nspname, c.relname,
              format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
              CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END),
       format('ALTER SEQUENCE %%I.%%I OWNED BY %%I.%%I.%%I', n.nspname, c.relname, tn.nspname, t.relname, a.attname),
       tn.nspname || '.' || t.relname
FROM pg_depend d
JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S' JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_sequence s ON s.seqrelid = c.oid
JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'a' AND d.refobjid = ANY (%(oids)s::oid[])
ORDER BY 1
