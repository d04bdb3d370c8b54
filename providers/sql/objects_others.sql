SELECT 'schema', quote_ident(nspname), '', format('CREATE SCHEMA %I AUTHORIZATION %I', nspname, pg_get_userbyid(nspowner)) FROM places
UNION ALL
SELECT 'extension', quote_ident(extname), '', format('CREATE EXTENSION %I SCHEMA %s VERSION %L', extname, extnamespace::regnamespace, extversion)
FROM pg_extension
UNION ALL
SELECT kind, full_name, '',
  CASE WHEN prokind = 'a' THEN (SELECT format('-- AGGREGATE %s state %s type %s final %s initial %s combine %s', full_name,
      g.aggtransfn, format_type(g.aggtranstype, NULL), g.aggfinalfn, g.agginitval, g.aggcombinefn)
    FROM pg_aggregate g WHERE g.aggfnoid = f.oid)
  ELSE pg_get_functiondef(oid) END || format('; -- OWNER %I', pg_get_userbyid(proowner))
FROM functions f
UNION ALL
SELECT 'type', full_name, '',
  CASE typtype
    WHEN 'e' THEN format('CREATE TYPE %s AS ENUM (%s)', full_name,
      (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
    WHEN 'c' THEN format('CREATE TYPE %s AS (%s)', full_name,
      (SELECT string_agg(format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attcollation <> y.typcollation
         THEN ' COLLATE ' || a.attcollation::regcollation END), ', ' ORDER BY a.attnum)
       FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
       WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))
    WHEN 'd' THEN format('CREATE DOMAIN %s AS %s%s%s', full_name, format_type(typbasetype, typtypmod), ' DEFAULT ' || typdefault,
      CASE WHEN typnotnull THEN ' NOT NULL' END)
    WHEN 'r' THEN (SELECT format('CREATE TYPE %s AS RANGE (SUBTYPE = %s); -- RANGE class %s collation %s canonical %s difference %s multirange %s',
        full_name, format_type(g.rngsubtype, NULL), c.opcname, g.rngcollation::regcollation, g.rngcanonical, g.rngsubdiff, format_type(g.rngmultitypid, NULL))
      FROM pg_range g JOIN pg_opclass c ON c.oid = g.rngsubopc WHERE g.rngtypid = t.oid)
    ELSE format('-- BASE TYPE %s input %s output %s', full_name, typinput, typoutput) END
  || format('; -- OWNER %I', pg_get_userbyid(typowner))
FROM types t
UNION ALL
SELECT 'event trigger', quote_ident(evtname), '', format('CREATE EVENT TRIGGER %I ON %s EXECUTE FUNCTION %s(); -- TAGS %s ENABLED %s',
  evtname, evtevent, evtfoid::regproc, evttags::text, evtenabled)
FROM pg_event_trigger e WHERE ('pg_event_trigger'::regclass, e.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'publication', quote_ident(pubname), '', format('-- PUBLICATION %I: all tables %s, %s%s%s%s root %s', pubname, puballtables,
  pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot) || coalesce(' FOR ' ||
  (SELECT string_agg(format('%I.%I %s %s', t.schemaname, t.tablename, t.attnames::text, t.rowfilter), ', ' ORDER BY t.schemaname, t.tablename)
   FROM pg_publication_tables t WHERE t.pubname = p.pubname AND NOT p.puballtables
     AND t.schemaname IN (SELECT nspname FROM places)), '') || format('; -- OWNER %I', pg_get_userbyid(pubowner))
FROM pg_publication p
UNION ALL
SELECT 'foreign server', quote_ident(srvname), '', format('-- SERVER %I of %I type %s version %s options %s', srvname,
  w.fdwname, srvtype, srvversion, (SELECT array_agg(split_part(o, '=', 1) || '=' || md5(o) ORDER BY o) FROM unnest(srvoptions) o)::text)
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
UNION ALL
SELECT 'collation', format('%I.%I', n.nspname, c.collname), '',
  format('-- COLLATION provider %s deterministic %s encoding %s %s', c.collprovider, c.collisdeterministic, c.collencoding, c.collcollate)
FROM pg_collation c JOIN places n ON n.oid = c.collnamespace
WHERE ('pg_collation'::regclass, c.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'operator', format('%I.%s (%s, %s)', n.nspname, o.oprname, format_type(o.oprleft, NULL), format_type(o.oprright, NULL)), '',
  format('-- OPERATOR function %s commutator %s negator %s restrict %s join %s', o.oprcode, o.oprcom::regoperator, o.oprnegate::regoperator,
    o.oprrest, o.oprjoin)
FROM pg_operator o JOIN places n ON n.oid = o.oprnamespace
WHERE ('pg_operator'::regclass, o.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'cast', format('%s as %s', format_type(c.castsource, NULL), format_type(c.casttarget, NULL)), '',
  format('-- CAST function %s context %s method %s', nullif(c.castfunc, 0)::regprocedure, c.castcontext, c.castmethod)
FROM pg_cast c WHERE c.oid >= 16384 AND ('pg_cast'::regclass, c.oid) NOT IN (SELECT classid, objid FROM members)
