"""What a product's own code could try once it runs in the server of a drill, and where it could lie in wait.

`FILE` may be read by everybody, `NEW` does not exist: a way out that works shows in a row, or there.
"""

from __future__ import annotations

# Each is one statement that only a superuser, or a member of a mighty role, gets through.
ESCAPES = {
    "reads a file": "SELECT pg_read_file('FILE')",
    "reads bytes of a file": "SELECT pg_read_binary_file('FILE')",
    "reads the variables of a process": "SELECT pg_read_file('/proc/self/environ')",
    "reads a file within XML": "SELECT query_to_xml('SELECT pg_read_file(''FILE'')', true, false, '')",
    "looks at a file": "SELECT pg_stat_file('FILE')",
    "lists a directory": "SELECT pg_ls_dir('/proc')",
    "lists the log": "SELECT pg_ls_logdir()",
    "copies a file in": "COPY public.notes FROM 'FILE'",
    "copies a file out": "COPY public.notes TO 'NEW'",
    "runs a program": "COPY public.notes TO PROGRAM 'touch NEW'",
    "reads a program": "COPY public.notes FROM PROGRAM 'cat FILE'",
    "imports a large object": "SELECT lo_import('FILE')",
    "exports a large object": "SELECT lo_export(lo_from_bytea(0, 'x'), 'NEW')",
    "writes the configuration": "ALTER SYSTEM SET archive_command = 'touch NEW'",
    "reads the configuration": "SELECT * FROM pg_hba_file_rules",
    "reads where the configuration lies": "SELECT current_setting('config_file')",
    "loads the configuration": "SELECT pg_reload_conf()",
    "loads a library": "LOAD 'dblink'",
    "loads a library by path": "LOAD '/lib/x86_64-linux-gnu/libc.so.6'",
    "preloads a library": "SET session_preload_libraries = 'dblink'",
    "preloads a library for the next": "ALTER ROLE CURRENT_USER SET session_preload_libraries = 'dblink'",
    "looks for libraries elsewhere": "SET dynamic_library_path = '/tmp'",
    "a function in C": "CREATE FUNCTION public.c(cstring) RETURNS int LANGUAGE c AS 'libc.so.6', 'system'",
    "a built-in by another name": "CREATE FUNCTION public.r(text) RETURNS text LANGUAGE internal AS 'pg_read_file_all'",
    "an untrusted language": "CREATE EXTENSION plpython3u",
    "an extension that reads files": "CREATE EXTENSION file_fdw",
    "an extension that connects": "CREATE EXTENSION dblink",
    "an extension whose script a superuser runs": "CREATE EXTENSION seg",
    "a wrapper of its own": "CREATE FOREIGN DATA WRAPPER own",
    "a subscription": "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1' PUBLICATION p",
    "becomes the superuser": "SET SESSION AUTHORIZATION postgres",
    "becomes the superuser by a setting": "SELECT set_config('session_authorization', 'postgres', false)",
    "takes the superuser's role": "SET ROLE postgres",
    "takes the superuser's role by a setting": "SELECT set_config('role', 'postgres', false)",
    "makes itself a superuser": "ALTER ROLE CURRENT_USER SUPERUSER",
    "makes a superuser": "CREATE ROLE mighty SUPERUSER LOGIN",
    "makes a role": "CREATE ROLE another",
    "may read files from now on": "GRANT pg_read_server_files TO CURRENT_USER",
    "may run programs from now on": "GRANT pg_execute_server_program TO CURRENT_USER",
    "reads the passwords": "SELECT rolpassword FROM pg_authid",
    "writes the roles": "UPDATE pg_authid SET rolsuper = true",
    "writes the functions": "UPDATE pg_proc SET proowner = 10",
    "gives a function to the superuser": "ALTER FUNCTION public.lurk() OWNER TO postgres",
    "takes what the superuser has": "REASSIGN OWNED BY postgres TO CURRENT_USER",
    "defaults of the superuser": "ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT ALL ON TABLES TO PUBLIC",
    "shadows a built-in": "CREATE FUNCTION pg_catalog.count(text) RETURNS int LANGUAGE sql AS 'SELECT 0'",
    "a cast that looks at raw bytes": "CREATE CAST (text AS bytea) WITHOUT FUNCTION",
    "an operator class": "CREATE OPERATOR CLASS own FOR TYPE int USING btree AS OPERATOR 1 <(int, int)",
    "an event trigger": "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION public.at_ddl()",
    "a tablespace": "CREATE TABLESPACE t LOCATION '/tmp'",
    "a database": "CREATE DATABASE another",
    "a schema": "CREATE SCHEMA another",
    "replicates": "SELECT pg_create_physical_replication_slot('own')",
    "publishes": "CREATE PUBLICATION p FOR ALL TABLES",
    "counts no more": "SET track_counts = off",
}

# What `{call}` of one of them runs in the drill, by the status that the run has to have.
CALL = "public.harmless(id)"
CARRIERS = {
    "a check": (f"CREATE TABLE public.carrier (id int CHECK ({CALL}))", "proven"),
    "a check of the table": (f"CREATE TABLE public.carrier (id int, CHECK (id > 0 AND {CALL}))", "proven"),
    "a default": ("CREATE TABLE public.carrier (id int, b bool DEFAULT public.harmless(1))", "proven"),
    "an index": (f"CREATE TABLE public.carrier (id int); CREATE INDEX ON public.carrier (({CALL}))", "proven"),
    "a condition of an index": (
        f"CREATE TABLE public.carrier (id int); CREATE INDEX ON public.carrier (id) WHERE {CALL}",
        "proven",
    ),
    "an exclusion": (
        f"CREATE TABLE public.carrier (id int, EXCLUDE USING btree (id WITH =) WHERE ({CALL}))",
        "proven",
    ),
    "a domain": (
        "CREATE DOMAIN public.guarded AS int CHECK (public.harmless(VALUE)); CREATE TABLE public.carrier"
        " (id public.guarded)",
        "proven",
    ),
    "a generated column": (
        f"CREATE TABLE public.carrier (id int, g bool GENERATED ALWAYS AS ({CALL}) STORED)",
        "proven",
    ),
    "a cast": (
        "CREATE TYPE public.pair AS (a int, b int); CREATE FUNCTION public.cast_pair(public.pair) RETURNS int"
        " LANGUAGE sql AS 'SELECT public.harmless(1)::int'; CREATE CAST (public.pair AS int) WITH FUNCTION"
        " public.cast_pair(public.pair); CREATE TABLE public.carrier (id int, p public.pair,"
        " CHECK (p IS NULL OR p::int > 0))",
        "proven",
    ),
    "an operator": (
        "CREATE FUNCTION public.oper(int, int) RETURNS bool LANGUAGE sql AS 'SELECT public.harmless($1)';"
        " CREATE OPERATOR public.~~~~ (LEFTARG = int, RIGHTARG = int, FUNCTION = public.oper);"
        " CREATE TABLE public.carrier (id int, CHECK (id OPERATOR(public.~~~~) 1))",
        "proven",
    ),
    "an event trigger": (
        "CREATE TABLE public.carrier (id int); CREATE EVENT TRIGGER lying_in_wait ON ddl_command_end"
        " EXECUTE FUNCTION public.at_ddl()",
        "proven",
    ),
    "a trigger": (
        "CREATE TABLE public.carrier (id int); CREATE TRIGGER t BEFORE INSERT ON public.carrier FOR EACH ROW"
        " EXECUTE FUNCTION public.at_insert()",
        "proven",
    ),
    "a rule": (
        "CREATE TABLE public.carrier (id int); CREATE RULE r AS ON INSERT TO public.carrier DO ALSO"
        " SELECT public.harmless(1)",
        "proven",
    ),
    "a view": ("CREATE TABLE public.carrier (id int); CREATE VIEW public.v AS SELECT public.harmless(1)", "proven"),
    "a materialized view": (
        "CREATE TABLE public.carrier (id int); CREATE MATERIALIZED VIEW public.v AS SELECT public.harmless(1)",
        "proven",
    ),
    "a policy": (
        "CREATE TABLE public.carrier (id int); ALTER TABLE public.carrier ENABLE ROW LEVEL SECURITY,"
        f" FORCE ROW LEVEL SECURITY; CREATE POLICY p ON public.carrier USING ({CALL})",
        "proven",
    ),
    "a partition": (
        f"CREATE TABLE public.carrier (id int) PARTITION BY LIST (({CALL})); CREATE TABLE public.c_true PARTITION OF"
        " public.carrier FOR VALUES IN (true)",
        "proven",
    ),
}
