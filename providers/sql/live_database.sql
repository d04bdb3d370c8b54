-- Facts about the database as a whole that change how SQL is judged.
SELECT (SELECT coalesce(array_agg(n.nspname || '.' || t.typname), '{}')
          FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
         WHERE t.typtype = 'd' AND (t.typnotnull OR EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid))
           AND n.nspname NOT IN ('pg_catalog', 'information_schema')),
       (SELECT count(*) = 2 FROM pg_catalog.pg_roles WHERE rolname IN ('anon', 'authenticated')),
       current_setting('server_version_num')::int / 10000
