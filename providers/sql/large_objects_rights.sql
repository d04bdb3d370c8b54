-- What gives large objects their owners, rights and comments again: what it is, the statement.
WITH granted AS (
  SELECT m.oid, e.grantee, e.privilege_type, e.is_grantable FROM pg_largeobject_metadata m, aclexplode(m.lomacl) e WHERE e.grantee <> m.lomowner
)
SELECT format('granted to %s', coalesce(pg_get_userbyid(nullif(grantee, 0))::text, 'PUBLIC')),
  format('GRANT %s ON LARGE OBJECT %s TO %s%s', privilege_type, string_agg(oid::text, ', ' ORDER BY oid),
    CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END)
FROM granted GROUP BY grantee, privilege_type, is_grantable
UNION ALL
SELECT format('%s (comment)', objoid), format('COMMENT ON LARGE OBJECT %s IS %L', objoid, description)
FROM pg_description WHERE classoid = 'pg_largeobject'::regclass
UNION ALL
SELECT format('%s (%s)', oid, pg_get_userbyid(lomowner)), format('ALTER LARGE OBJECT %s OWNER TO %I', oid, pg_get_userbyid(lomowner))
FROM pg_largeobject_metadata WHERE lomowner <> (SELECT lomowner FROM pg_largeobject_metadata GROUP BY 1 ORDER BY count(*) DESC LIMIT 1)
