, securables AS (
  SELECT 'TABLE' AS word, full_name AS name, full_name AS of, relowner AS owner, relacl AS acl,
    acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner) AS usual
  FROM relations WHERE relkind <> 'c'
  UNION ALL
  SELECT 'COLUMN', format('%s.%I', r.full_name, a.attname), r.full_name, r.relowner, a.attacl, acldefault('c', r.relowner)
  FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND NOT a.attisdropped AND a.attacl IS NOT NULL
  UNION ALL
  SELECT 'FUNCTION', full_name, full_name, proowner, proacl, acldefault('f', proowner) FROM functions
  UNION ALL
  SELECT 'TYPE', full_name, full_name, typowner, typacl, acldefault('T', typowner) FROM types
  UNION ALL
  SELECT 'SCHEMA', quote_ident(nspname), quote_ident(nspname), nspowner, nspacl, acldefault('n', nspowner) FROM places
  UNION ALL
  SELECT 'LANGUAGE', quote_ident(lanname), quote_ident(lanname), lanowner, lanacl, acldefault('l', lanowner) FROM pg_language WHERE lanispl
  UNION ALL
  SELECT 'FOREIGN DATA WRAPPER', quote_ident(fdwname), quote_ident(fdwname), fdwowner, fdwacl, acldefault('F', fdwowner) FROM pg_foreign_data_wrapper
  UNION ALL
  SELECT 'FOREIGN SERVER', quote_ident(srvname), quote_ident(srvname), srvowner, srvacl, acldefault('S', srvowner) FROM pg_foreign_server
), granted AS (
  SELECT word, name, of, (SELECT string_agg(line, '; ' ORDER BY line) FROM (
      SELECT format('GRANT %s ON %s %s TO %s', string_agg(e.privilege_type || CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END,
          ', ' ORDER BY e.privilege_type), word, name, CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END) AS line
      FROM (SELECT DISTINCT grantee, privilege_type, bool_or(is_grantable) OVER (PARTITION BY grantee, privilege_type) AS is_grantable
            FROM aclexplode(acl)) e
      GROUP BY e.grantee) lines) AS lines,
    (SELECT array_agg((grantee, privilege_type, is_grantable) ORDER BY grantee, privilege_type) FROM aclexplode(acl)) AS has,
    (SELECT array_agg((grantee, privilege_type, is_grantable) ORDER BY grantee, privilege_type) FROM aclexplode(usual)) AS usual
  FROM securables WHERE acl IS NOT NULL
)
SELECT 'grants', lower(word) || ' ' || name, of, coalesce(lines, '-- nobody') FROM granted WHERE has IS DISTINCT FROM usual
UNION ALL
SELECT 'default grants', format('of %I %s %s', pg_get_userbyid(d.defaclrole), coalesce('in ' || n.nspname, 'everywhere'), d.defaclobjtype), '',
  (SELECT string_agg(format('GRANT %s TO %s%s', e.privilege_type, CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(e.grantee)::text END,
     CASE WHEN e.is_grantable THEN ' WITH GRANT OPTION' END), '; ' ORDER BY e.grantee = 0, pg_get_userbyid(e.grantee)::text, e.privilege_type) FROM aclexplode(d.defaclacl) e)
FROM pg_default_acl d LEFT JOIN places n ON n.oid = d.defaclnamespace WHERE d.defaclnamespace = 0 OR n.oid IS NOT NULL
UNION ALL
SELECT 'comment', CASE WHEN d.objsubid > 0 THEN 'column ' || r.full_name || '.' || quote_ident(a.attname) ELSE r.kind || ' ' || r.full_name END, r.full_name,
  quote_literal(d.description)
FROM pg_description d JOIN relations r ON d.classoid = 'pg_class'::regclass AND d.objoid = r.oid
LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.objsubid
UNION ALL
SELECT 'comment', f.kind || ' ' || f.full_name, f.full_name, quote_literal(d.description)
FROM pg_description d JOIN functions f ON d.classoid = 'pg_proc'::regclass AND d.objoid = f.oid
UNION ALL
SELECT d.kind, i.type || ' ' || i.identity, r.full_name, said FROM (
  SELECT 'comment' AS kind, classoid, objoid, objsubid, quote_literal(description) AS said FROM pg_description
  WHERE classoid NOT IN ('pg_proc'::regclass, 'pg_extension'::regclass) AND objoid >= 16384
  UNION ALL
  SELECT 'security label', classoid, objoid, objsubid, provider || ': ' || quote_literal(label) FROM pg_seclabel
) d CROSS JOIN LATERAL (SELECT coalesce(
  (SELECT indrelid FROM pg_index WHERE d.classoid = 'pg_class'::regclass AND indexrelid = d.objoid),
  (SELECT nullif(conrelid, 0) FROM pg_constraint WHERE d.classoid = 'pg_constraint'::regclass AND oid = d.objoid),
  (SELECT tgrelid FROM pg_trigger WHERE d.classoid = 'pg_trigger'::regclass AND oid = d.objoid),
  (SELECT polrelid FROM pg_policy WHERE d.classoid = 'pg_policy'::regclass AND oid = d.objoid),
  (SELECT ev_class FROM pg_rewrite WHERE d.classoid = 'pg_rewrite'::regclass AND oid = d.objoid)) AS relation) t
CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
LEFT JOIN relations r ON r.oid = t.relation
WHERE (d.classoid, d.objoid) NOT IN (SELECT classid, objid FROM members)
  AND (d.kind <> 'comment' OR d.classoid <> 'pg_class'::regclass OR t.relation IS NOT NULL)
  AND CASE WHEN t.relation IS NOT NULL THEN r.oid IS NOT NULL
           WHEN d.classoid = 'pg_namespace'::regclass THEN d.objoid IN (SELECT oid FROM places)
           ELSE i.schema IS NULL OR i.schema IN (SELECT quote_ident(nspname) FROM places) END
