-- By the superuser, in the database of a load, before anybody else signs in: who loads owns its schemas and nothing else.
CREATE ROLE {owner} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION BYPASSRLS PASSWORD {owner_password};
CREATE ROLE {reader} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION BYPASSRLS PASSWORD {reader_password};
REVOKE ALL ON DATABASE {database} FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {owner};
GRANT CONNECT ON DATABASE {database} TO {reader};
ALTER SCHEMA public OWNER TO {owner};
-- Settings that functions of a product carry and that only a superuser may give them; none reaches outside.
GRANT SET ON PARAMETER session_replication_role, deadlock_timeout, log_min_messages, log_min_error_statement,
    log_min_duration_statement, log_statement, log_duration, log_lock_waits, track_functions, track_io_timing TO {owner};
