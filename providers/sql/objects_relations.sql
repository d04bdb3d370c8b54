SELECT kind, full_name, '',
  CASE relkind
    WHEN 'v' THEN format('CREATE VIEW %s%s AS %s', full_name, options, pg_get_viewdef(oid))
    WHEN 'm' THEN format('CREATE MATERIALIZED VIEW %s%s AS %s', full_name, options, pg_get_viewdef(oid))
      || CASE WHEN relispopulated THEN '' ELSE '; -- NO DATA' END
    WHEN 'S' THEN (SELECT format('CREATE SEQUENCE %s AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s',
        full_name, format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache,
        CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END)
      || coalesce((SELECT format('; ALTER SEQUENCE %s OWNED BY %I.%I.%I', r.full_name, n.nspname, o.relname, a.attname)
        FROM pg_depend d JOIN pg_class o ON o.oid = d.refobjid JOIN places n ON n.oid = o.relnamespace
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype IN ('a', 'i')
          AND d.refclassid = 'pg_class'::regclass AND ('pg_class'::regclass, o.oid) NOT IN (SELECT classid, objid FROM members)), '')
      FROM pg_sequence s WHERE s.seqrelid = r.oid) || CASE relpersistence WHEN 'u' THEN '; -- UNLOGGED' ELSE '' END
    ELSE format('CREATE %sTABLE %s ()%s%s%s', CASE relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END, full_name,
      (SELECT ' INHERITS (' || string_agg(p.relnamespace::regnamespace || '.' || quote_ident(p.relname), ', ' ORDER BY i.inhseqno) || ')'
       FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent WHERE i.inhrelid = r.oid),
      ' PARTITION BY ' || pg_get_partkeydef(oid), options)
      || coalesce('; -- ' || pg_get_expr(relpartbound, oid), '')
      || CASE WHEN EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = r.oid AND i.inhdetachpending) THEN '; -- DETACH PENDING' ELSE '' END
      || coalesce((SELECT '; -- OF ' || quote_ident(y.typname) FROM pg_type y WHERE y.oid = r.reloftype), '')
      || coalesce((SELECT '; -- SERVER ' || v.srvname || ' ' || coalesce(f.ftoptions::text, '')
                   FROM pg_foreign_table f JOIN pg_foreign_server v ON v.oid = f.ftserver WHERE f.ftrelid = r.oid), '')
      || coalesce((SELECT '; -- TOAST ' || array_to_string(ARRAY(SELECT unnest(t.reloptions) ORDER BY 1), ', ')
                   FROM pg_class t WHERE t.oid = r.reltoastrelid), '')
      || CASE relreplident WHEN 'd' THEN '' ELSE '; -- REPLICA IDENTITY ' || relreplident::text END
      || coalesce((SELECT '; -- ACCESS METHOD ' || m.amname FROM pg_am m WHERE m.oid = r.relam AND m.amname <> 'heap'), '')
  END
  || coalesce((SELECT '; -- TABLESPACE ' || t.spcname FROM pg_tablespace t WHERE t.oid = r.reltablespace), '')
  || format('; -- OWNER %I', pg_get_userbyid(relowner))
FROM (SELECT *, coalesce((SELECT ' WITH (' || string_agg(quote_ident(split_part(o, '=', 1)) || '='
        || quote_literal(substr(o, strpos(o, '=') + 1)), ', ' ORDER BY o) || ')'
      FROM unnest(reloptions) o), '') AS options FROM relations) r
WHERE relkind <> 'c'
UNION ALL
SELECT 'row security', full_name, full_name,
  format('ALTER TABLE %s %s ROW LEVEL SECURITY, %s ROW LEVEL SECURITY', full_name,
    CASE WHEN relrowsecurity THEN 'ENABLE' ELSE 'DISABLE' END, CASE WHEN relforcerowsecurity THEN 'FORCE' ELSE 'NO FORCE' END)
FROM relations WHERE relkind IN ('r', 'p')
UNION ALL
SELECT 'column order', full_name, full_name,
  (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
   WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped)
FROM relations r WHERE relkind IN ('r', 'p', 'f')
UNION ALL
SELECT 'index', format('%I.%I', n.nspname, x.relname), r.full_name,
  pg_get_indexdef(i.indexrelid)
  || CASE WHEN i.indisvalid AND i.indisready AND i.indislive THEN '' ELSE '; -- INVALID' END
  || CASE WHEN i.indisreplident THEN '; -- REPLICA IDENTITY' ELSE '' END
  || CASE WHEN i.indisclustered THEN '; -- CLUSTERED' ELSE '' END
  || coalesce((SELECT '; -- TABLESPACE ' || t.spcname FROM pg_tablespace t WHERE t.oid = x.reltablespace), '')
FROM pg_index i JOIN relations r ON r.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = x.relnamespace
