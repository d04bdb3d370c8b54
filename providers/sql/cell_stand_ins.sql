-- Of these roles the ones without any might: whoever loads may act for them.
SELECT rolname FROM pg_roles
WHERE rolname = ANY (%s) AND NOT (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls OR rolcanlogin)
