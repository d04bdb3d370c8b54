-- What a database takes from its server and its platform: locale, collations that initdb made, roles.
SELECT d.datcollate::text, d.datctype::text, coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'),
       coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', ''),
       ARRAY(SELECT DISTINCT c.collname::text FROM pg_depend x JOIN pg_collation c ON c.oid = x.refobjid
             WHERE x.refclassid = 'pg_collation'::regclass AND c.collnamespace = 'pg_catalog'::regnamespace ORDER BY 1),
       ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1 LIMIT 500)
FROM pg_database d WHERE d.datname = current_database()
