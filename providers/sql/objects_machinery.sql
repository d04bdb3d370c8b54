SELECT 'text search configuration', format('%I.%I', n.nspname, c.cfgname), '',
  format('-- PARSER %s %s; -- OWNER %I', p.prsname, (SELECT string_agg(format('%s: %s', m.maptokentype, m.mapdict::regdictionary), ', '
    ORDER BY m.maptokentype, m.mapseqno) FROM pg_ts_config_map m WHERE m.mapcfg = c.oid), pg_get_userbyid(c.cfgowner))
FROM pg_ts_config c JOIN places n ON n.oid = c.cfgnamespace JOIN pg_ts_parser p ON p.oid = c.cfgparser
WHERE ('pg_ts_config'::regclass, c.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'text search dictionary', format('%I.%I', n.nspname, d.dictname), '',
  format('-- TEMPLATE %s %s; -- OWNER %I', t.tmplname, d.dictinitoption, pg_get_userbyid(d.dictowner))
FROM pg_ts_dict d JOIN places n ON n.oid = d.dictnamespace JOIN pg_ts_template t ON t.oid = d.dicttemplate
WHERE ('pg_ts_dict'::regclass, d.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'operator family', format('%s %I.%I', m.amname, n.nspname, f.opfname), '',
  format('-- OPERATORS %s FUNCTIONS %s; -- OWNER %I',
    (SELECT string_agg(format('%s %s', o.amopstrategy, o.amopopr::regoperator), ', ' ORDER BY o.amopstrategy, o.amopopr::regoperator::text)
     FROM pg_amop o WHERE o.amopfamily = f.oid),
    (SELECT string_agg(format('%s %s', p.amprocnum, p.amproc::regprocedure), ', ' ORDER BY p.amprocnum, p.amproc::regprocedure::text)
     FROM pg_amproc p WHERE p.amprocfamily = f.oid), pg_get_userbyid(f.opfowner))
FROM pg_opfamily f JOIN places n ON n.oid = f.opfnamespace JOIN pg_am m ON m.oid = f.opfmethod
WHERE ('pg_opfamily'::regclass, f.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'operator class', format('%s %I.%I', m.amname, n.nspname, c.opcname), '',
  format('-- FOR %s default %s stored as %s; -- OWNER %I', format_type(c.opcintype, NULL), c.opcdefault,
    format_type(nullif(c.opckeytype, 0), NULL), pg_get_userbyid(c.opcowner))
FROM pg_opclass c JOIN places n ON n.oid = c.opcnamespace JOIN pg_am m ON m.oid = c.opcmethod
WHERE ('pg_opclass'::regclass, c.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'conversion', format('%I.%I', n.nspname, c.conname), '',
  format('-- FROM %s TO %s function %s default %s; -- OWNER %I', pg_encoding_to_char(c.conforencoding), pg_encoding_to_char(c.contoencoding),
    c.conproc, c.condefault, pg_get_userbyid(c.conowner))
FROM pg_conversion c JOIN places n ON n.oid = c.connamespace
UNION ALL
SELECT 'language', quote_ident(lanname), '', format('-- TRUSTED %s handler %s inline %s validator %s; -- OWNER %I', lanpltrusted,
  lanplcallfoid::regproc, laninline::regproc, lanvalidator::regproc, pg_get_userbyid(lanowner))
FROM pg_language l WHERE oid >= 16384 AND ('pg_language'::regclass, l.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'access method', quote_ident(amname), '', format('-- TYPE %s handler %s', amtype, amhandler)
FROM pg_am a WHERE oid >= 16384 AND ('pg_am'::regclass, a.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'foreign data wrapper', quote_ident(fdwname), '', format('-- HANDLER %s validator %s options %s; -- OWNER %I', fdwhandler::regproc, fdwvalidator::regproc,
  md5(ARRAY(SELECT unnest(fdwoptions) ORDER BY 1)::text), pg_get_userbyid(fdwowner))
FROM pg_foreign_data_wrapper f WHERE ('pg_foreign_data_wrapper'::regclass, f.oid) NOT IN (SELECT classid, objid FROM members)
UNION ALL
SELECT 'user mapping', format('%s at %I', usename, srvname), '', CASE WHEN umoptions IS NULL THEN '-- options not shown' ELSE '-- OPTIONS ' || md5(ARRAY(SELECT unnest(umoptions) ORDER BY 1)::text) END FROM pg_user_mappings
UNION ALL
SELECT 'subscription', quote_ident(subname), '', format('-- ENABLED %s slot %s publications %s; -- OWNER %I', subenabled, subslotname, subpublications::text,
  pg_get_userbyid(subowner))
FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
