-- name: default of a domain that calls a function
CREATE FUNCTION d() RETURNS int LANGUAGE sql AS 'select 7'; CREATE DOMAIN dd AS int DEFAULT d() CHECK (VALUE > 0);
CREATE TABLE t(id int PRIMARY KEY, x dd); INSERT INTO t VALUES (1, 2);
-- name: domain over a domain, an array of it, a composite with it
CREATE FUNCTION even(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'select $1 % 2 = 0';
CREATE DOMAIN a AS int CHECK (even(VALUE)); CREATE DOMAIN b AS a CHECK (VALUE < 100); CREATE TYPE c AS (x b, y text);
CREATE TABLE t(p b, q b[], r c); INSERT INTO t VALUES (2, '{4,6}', '(8,z)');
-- name: generated column over a function that names no schema
CREATE FUNCTION one(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'select $1 + 1'; CREATE FUNCTION two(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'begin return one($1) * 2; end';
CREATE TABLE t(x int, g int GENERATED ALWAYS AS (two(x)) STORED); INSERT INTO t VALUES (1);
-- name: check over a table that comes later
CREATE TABLE z(v text PRIMARY KEY); INSERT INTO z VALUES ('a');
CREATE FUNCTION known(text) RETURNS bool LANGUAGE plpgsql STABLE AS 'begin return exists (select from z where v = $1); end';
CREATE TABLE a(v text, CONSTRAINT known_v CHECK (known(v))); INSERT INTO a VALUES ('a');
-- name: check of a partitioned table and of a parent
CREATE FUNCTION ok(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'select $1 < 1000';
CREATE TABLE p(x int, CONSTRAINT ok_x CHECK (ok(x))) PARTITION BY LIST (x); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); INSERT INTO p VALUES (1);
CREATE TABLE q(x int CONSTRAINT ok_q CHECK (ok(x))); CREATE TABLE q1(y int CONSTRAINT ok_y CHECK (ok(y))) INHERITS (q); INSERT INTO q1 VALUES (1, 2);
-- name: index over a function, partial and with an operator class
CREATE FUNCTION low(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'select lower($1)';
CREATE TABLE t(s text); CREATE INDEX ON t (low(s)) WHERE low(s) <> ''; CREATE INDEX ON t (s text_pattern_ops DESC NULLS LAST) INCLUDE (s) WITH (fillfactor = 70); INSERT INTO t VALUES ('A');
-- name: sequences of every kind
CREATE SEQUENCE free AS smallint START 5 INCREMENT -1 MINVALUE -9 MAXVALUE 9 CYCLE CACHE 2; SELECT nextval('free');
CREATE TABLE t(id bigserial, n int GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 7 MAXVALUE 9000)); INSERT INTO t DEFAULT VALUES;
CREATE TABLE u(id int DEFAULT nextval('free'), n int DEFAULT nextval('t_id_seq')); INSERT INTO u DEFAULT VALUES; ALTER SEQUENCE t_n_seq RESTART 500;
-- name: views with options, on views, with a rule and a trigger
CREATE TABLE t(x int, y int); CREATE VIEW v WITH (security_barrier, security_invoker = true) AS SELECT x FROM t WHERE x > 0 WITH CASCADED CHECK OPTION;
CREATE VIEW w AS SELECT x FROM v; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end'; CREATE TRIGGER i INSTEAD OF INSERT ON w FOR EACH ROW EXECUTE FUNCTION f();
CREATE RULE r AS ON DELETE TO v DO INSTEAD NOTHING; INSERT INTO t VALUES (1, 2);
-- name: materialized views, filled and not, indexed
CREATE TABLE t(x int); INSERT INTO t VALUES (1), (2); CREATE MATERIALIZED VIEW m AS SELECT x FROM t; CREATE UNIQUE INDEX ON m (x); CREATE MATERIALIZED VIEW n AS SELECT x FROM m WITH NO DATA; CREATE VIEW o AS SELECT * FROM m;
-- name: triggers in every state
CREATE TABLE t(x int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';
CREATE TRIGGER a AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); CREATE TRIGGER b BEFORE UPDATE OF x ON t FOR EACH ROW WHEN (NEW.x > 1) EXECUTE FUNCTION f('arg');
CREATE CONSTRAINT TRIGGER c AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f(); CREATE TRIGGER d AFTER INSERT ON t REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION f();
ALTER TABLE t ENABLE REPLICA TRIGGER a; ALTER TABLE t ENABLE ALWAYS TRIGGER b; ALTER TABLE t DISABLE TRIGGER d; INSERT INTO t VALUES (1);
-- name: row security and policies
CREATE TABLE t(x int, owner text); ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY; CREATE FUNCTION me() RETURNS text LANGUAGE sql STABLE AS 'select current_user::text';
CREATE POLICY p ON t AS RESTRICTIVE FOR UPDATE TO PUBLIC USING (owner = me()) WITH CHECK (x > 0); CREATE POLICY q ON t FOR SELECT USING (true); INSERT INTO t VALUES (1, 'a');
-- name: partitions in levels, hash, list, default, with keys and indexes
CREATE TABLE p(a int, b int, c text, PRIMARY KEY (a, b)) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10) PARTITION BY HASH (b);
CREATE TABLE p1a PARTITION OF p1 FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE p1b PARTITION OF p1 FOR VALUES WITH (MODULUS 2, REMAINDER 1); CREATE TABLE p2 PARTITION OF p DEFAULT; ALTER TABLE p2 ALTER c SET DEFAULT 'q', ALTER c SET NOT NULL;
CREATE UNIQUE INDEX u ON p (a, b, c); CREATE INDEX ON ONLY p (c); INSERT INTO p SELECT i, i, 'x' FROM generate_series(1, 30) i; CREATE TABLE r(a int, b int, FOREIGN KEY (a, b) REFERENCES p); INSERT INTO r VALUES (1, 1);
-- name: inheritance with two parents and own definitions
CREATE TABLE a(x int DEFAULT 1, CHECK (x > 0)); CREATE TABLE b(x int, y int NOT NULL); CREATE TABLE c(z int) INHERITS (a, b); ALTER TABLE c ALTER x SET DEFAULT 5; INSERT INTO c VALUES (1, 2, 3); INSERT INTO a VALUES (9);
-- name: keys on a unique index, deferrable, circular, not valid, to itself
CREATE TABLE a(x int NOT NULL, b int); CREATE UNIQUE INDEX ON a (x); CREATE TABLE b(x int REFERENCES a (x) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED, id int PRIMARY KEY, boss int REFERENCES b ON UPDATE CASCADE); ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;
INSERT INTO a VALUES (1, NULL); INSERT INTO b VALUES (1, 1, 1); UPDATE a SET b = 1; ALTER TABLE a ADD CONSTRAINT nv CHECK (x > 5) NOT VALID; CREATE TABLE e(r int4range, EXCLUDE USING gist (r WITH &&)); INSERT INTO e VALUES ('[1,2)'); ALTER TABLE e ADD CONSTRAINT k UNIQUE NULLS NOT DISTINCT (r);
-- name: rights of every kind
CREATE TABLE t(x int, y int); GRANT SELECT, INSERT ON t TO anon WITH GRANT OPTION; GRANT UPDATE (y) ON t TO PUBLIC; CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'select 1'; REVOKE ALL ON FUNCTION f() FROM PUBLIC; GRANT EXECUTE ON FUNCTION f() TO anon;
CREATE SCHEMA s; GRANT USAGE ON SCHEMA s TO anon; CREATE SEQUENCE s.q; GRANT USAGE ON SEQUENCE s.q TO anon; CREATE TYPE s.e AS ENUM ('a'); REVOKE ALL ON TYPE s.e FROM PUBLIC; ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO anon; CREATE VIEW v AS SELECT x FROM t; GRANT SELECT ON v TO anon; INSERT INTO t VALUES (1, 1);
-- name: owners
CREATE TABLE t(x int); CREATE TABLE u(x serial); ALTER TABLE u OWNER TO anon; CREATE SCHEMA s AUTHORIZATION anon; CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS 'select 1'; ALTER FUNCTION s.f() OWNER TO anon; CREATE TABLE s.v(x int); INSERT INTO t VALUES (1); CREATE TABLE v(x int); CREATE TABLE w(x int);
-- name: comments of every kind
CREATE TABLE t(x int PRIMARY KEY CHECK (x > 0)); COMMENT ON TABLE t IS 'it''s'; COMMENT ON COLUMN t.x IS E'two\nlines'; COMMENT ON CONSTRAINT t_pkey ON t IS 'k'; CREATE INDEX i ON t (x); COMMENT ON INDEX i IS 'i'; CREATE TYPE e AS ENUM ('a'); COMMENT ON TYPE e IS 'e'; COMMENT ON SCHEMA public IS 'mine'; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'; COMMENT ON FUNCTION f() IS 'f'; INSERT INTO t VALUES (1);
-- name: storage, statistics, compression, fillfactor, replica identity, clustering
CREATE TABLE t(x text COMPRESSION pglz, y int NOT NULL) WITH (fillfactor = 60, autovacuum_enabled = false); ALTER TABLE t ALTER x SET STORAGE EXTERNAL; ALTER TABLE t ALTER y SET STATISTICS 500; ALTER TABLE t ALTER y SET (n_distinct = -0.5); CREATE UNIQUE INDEX u ON t (y); ALTER TABLE t REPLICA IDENTITY USING INDEX u; CLUSTER t USING u; CREATE STATISTICS st (ndistinct, dependencies) ON x, y FROM t; INSERT INTO t VALUES ('a', 1); CREATE UNLOGGED TABLE n(x int); INSERT INTO n VALUES (1);
-- name: types: enum, composite with collation, range, base of an extension
CREATE TYPE e AS ENUM ('b', 'a'); ALTER TYPE e ADD VALUE 'c' BEFORE 'a'; CREATE TYPE k AS (a e, b text COLLATE "C"); CREATE TYPE r AS RANGE (SUBTYPE = text, COLLATION = "C", MULTIRANGE_TYPE_NAME = rs); CREATE EXTENSION hstore; CREATE EXTENSION citext;
CREATE TABLE t(a e, b k, c r, d rs, f hstore, g citext UNIQUE, h e[]); INSERT INTO t VALUES ('c', '(a,x)', '[a,b)', '{[a,b)}', 'k=>v', 'X', '{a,b}');
-- name: text search configuration and dictionary
CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = simple, STOPWORDS = english); CREATE TEXT SEARCH CONFIGURATION c (COPY = english); ALTER TEXT SEARCH CONFIGURATION c ALTER MAPPING FOR asciiword WITH d, english_stem;
CREATE TABLE t(s text, v tsvector GENERATED ALWAYS AS (to_tsvector('c', s)) STORED, g regconfig DEFAULT 'c'); CREATE INDEX ON t USING gin (v); INSERT INTO t VALUES ('the cats');
-- name: operators, casts, aggregates, procedures
CREATE FUNCTION plus(point, point) RETURNS point LANGUAGE sql IMMUTABLE AS 'select $1'; CREATE OPERATOR ##! (LEFTARG = point, RIGHTARG = point, FUNCTION = plus, COMMUTATOR = ##!); CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE TYPE w AS (x int); CREATE FUNCTION to_w(int) RETURNS w LANGUAGE sql IMMUTABLE AS 'select row($1)::w'; CREATE CAST (int AS w) WITH FUNCTION to_w(int) AS ASSIGNMENT; CREATE PROCEDURE p(INOUT a int) LANGUAGE plpgsql AS 'begin a := 1; end'; CREATE FUNCTION many(a int, VARIADIC b text[] DEFAULT '{}') RETURNS TABLE (x int, y text) LANGUAGE sql AS 'select 1, ''a'''; CREATE TABLE t(x point DEFAULT point '(1,1)' OPERATOR(public.##!) point '(1,2)'); INSERT INTO t DEFAULT VALUES;
-- name: functions with a body of standard SQL and settings
CREATE TABLE t(x int); CREATE FUNCTION f() RETURNS bigint LANGUAGE sql SET search_path = public, pg_temp SET work_mem = '8MB' COST 7 PARALLEL SAFE BEGIN ATOMIC SELECT count(*) FROM t; END; CREATE VIEW v AS SELECT f(); INSERT INTO t VALUES (1);
-- name: what points to objects by number
CREATE SCHEMA s; CREATE TABLE s.t(x int); CREATE FUNCTION s.f(int) RETURNS int LANGUAGE sql AS 'select 1'; CREATE TABLE r(a regclass, b regprocedure, c regtype, d regnamespace, e regrole, g regproc, h regclass[], i oid);
INSERT INTO r VALUES ('s.t', 's.f(int)', 's.t', 's', 'anon', 's.f', '{s.t,r}', 's.t'::regclass::oid);
-- name: xml with a declaration, in an array and a domain
CREATE DOMAIN dx AS xml; CREATE TABLE t(a xml, b xml[], c dx); INSERT INTO t VALUES ('<?xml version="1.0" standalone="yes"?><r/>', ARRAY['<?xml version="1.0"?><a/>'::xml, '<b/>'], '<?xml version="1.0"?><c/>'), (NULL, NULL, NULL), ('', NULL, '<d/>');
-- name: conditions over lists of varchar
CREATE TABLE t(s varchar(10) CHECK (s IN ('a', 'b')), n numeric CHECK (n = ANY ('{1,2}')), UNIQUE (s)); CREATE INDEX ON t (s) WHERE s IN ('a', 'b'); CREATE VIEW v AS SELECT * FROM t WHERE s IN ('a', 'c'); INSERT INTO t VALUES ('a', 1);
-- name: a row type of another table, and one of a view
CREATE TABLE a(x int, y text); CREATE VIEW v AS SELECT 1 AS z; CREATE TABLE t(r a, s v, q a[]); INSERT INTO t VALUES (ROW(1, 'a'), ROW(2), ARRAY[ROW(3, 'b')::a]);
-- name: a publication, an event trigger, a foreign table
CREATE TABLE t(x int); CREATE PUBLICATION pb FOR TABLE t; CREATE FUNCTION ev() RETURNS event_trigger LANGUAGE plpgsql AS 'begin end'; CREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION ev(); CREATE FOREIGN DATA WRAPPER w; CREATE SERVER sv FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE ft(x int) SERVER sv; INSERT INTO t VALUES (1);
-- name: a function in C and an operator class of a superuser
CREATE TABLE t(x int); CREATE FUNCTION add(int, int) RETURNS int LANGUAGE internal AS 'int4pl'; CREATE OPERATOR CLASS oc FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int); CREATE INDEX ON t (x oc); CREATE FUNCTION lp(int) RETURNS bool LANGUAGE sql LEAKPROOF AS 'select true'; INSERT INTO t VALUES (1);
-- name: a schema of views and functions only, hostile names
CREATE SCHEMA "Odd ""s.x"; CREATE TABLE "Odd ""s.x"."t %s {0} '"("a b" int PRIMARY KEY, "SELECT" text CHECK ("SELECT" <> ';--'), "%d" int DEFAULT 3); CREATE VIEW "Odd ""s.x"."v;" AS SELECT * FROM "Odd ""s.x"."t %s {0} '"; CREATE FUNCTION "Odd ""s.x"."f $$"() RETURNS text LANGUAGE sql AS $x$ select '$$; -- Name: x; Type: TABLE' $x$; INSERT INTO "Odd ""s.x"."t %s {0} '" VALUES (1, 'x');
-- name: nothing but a table without columns, and an empty one
CREATE TABLE none(); INSERT INTO none DEFAULT VALUES; CREATE TABLE empty(x int DEFAULT 1 NOT NULL);
-- name: typed table, dropped columns, a column added with a default
CREATE TYPE ty AS (a int, b text); CREATE TABLE t OF ty (PRIMARY KEY (a)); INSERT INTO t VALUES (1, 'x'); CREATE TABLE d(a int, gone text, b int); ALTER TABLE d DROP gone; INSERT INTO d VALUES (1, 2); ALTER TABLE d ADD c int DEFAULT 9 NOT NULL; ALTER TABLE d ALTER a TYPE bigint;
-- name: an extension in a schema of its own, a table that needs it
CREATE SCHEMA ext; CREATE EXTENSION pg_trgm SCHEMA ext; CREATE EXTENSION "uuid-ossp" SCHEMA ext; CREATE TABLE t(id uuid DEFAULT ext.uuid_generate_v4() PRIMARY KEY, s text); CREATE INDEX ON t USING gin (s ext.gin_trgm_ops); INSERT INTO t(s) VALUES ('abc');
-- name: a function that reads a table in a generated column's check and a default
CREATE TABLE settings(k text PRIMARY KEY, v int); INSERT INTO settings VALUES ('max', 10); CREATE FUNCTION top() RETURNS int LANGUAGE sql STABLE AS 'select v from settings where k = ''max'''; CREATE DOMAIN small AS int CHECK (VALUE <= top()); CREATE TABLE a(x small DEFAULT top()); INSERT INTO a VALUES (5);
-- name: large objects
CREATE EXTENSION lo; CREATE TABLE f(id int PRIMARY KEY, data lo); INSERT INTO f VALUES (1, lo_from_bytea(0, 'hello')), (2, lo_from_bytea(0, convert_to(repeat('x', 700000), 'utf8'))), (3, lo_from_bytea(0, convert_to(repeat('y', 262144), 'utf8')));
CREATE TRIGGER t BEFORE UPDATE OR DELETE ON f FOR EACH ROW EXECUTE FUNCTION lo_manage(data); SELECT lo_create(4711); SELECT lo_put(4711, 40000000, 'after a hole'); SELECT lo_create(4712);
GRANT SELECT, UPDATE ON LARGE OBJECT 4711 TO anon WITH GRANT OPTION; ALTER LARGE OBJECT 4712 OWNER TO anon; COMMENT ON LARGE OBJECT 4712 IS 'it''s empty';
-- name: own collations of the C library
CREATE COLLATION own (provider = libc, locale = 'C.utf8'); CREATE TABLE t(a text COLLATE own PRIMARY KEY, b text COLLATE "C" CHECK (b < 'z')); CREATE DOMAIN dc AS text COLLATE own; CREATE TABLE u(x dc); INSERT INTO t VALUES ('a', 'b'); INSERT INTO u VALUES ('q');
-- name: text search objects that a column uses
CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = simple); CREATE TEXT SEARCH CONFIGURATION c (COPY = english); ALTER TEXT SEARCH CONFIGURATION c ALTER MAPPING FOR word WITH d, simple; COMMENT ON TEXT SEARCH CONFIGURATION c IS 'x'; CREATE TABLE t(s text, v tsvector GENERATED ALWAYS AS (to_tsvector('c', s)) STORED); INSERT INTO t VALUES ('hello worlds');
-- name: a range with parts of its own, unlogged things, options of TOAST, a conversion
CREATE TYPE r AS RANGE (SUBTYPE = int, MULTIRANGE_TYPE_NAME = rs, SUBTYPE_DIFF = int4range_subdiff); CREATE UNLOGGED SEQUENCE us; CREATE CONVERSION cc FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8; CREATE UNLOGGED TABLE t(a r, b rs, c text) WITH (toast.autovacuum_enabled = false); INSERT INTO t VALUES ('[1,3)', '{[1,2),[5,6)}', 'x');
-- name: comments on parts of tables and on an event trigger
CREATE TABLE t(x int CONSTRAINT c CHECK (x > 0)); CREATE INDEX i ON t(x); CREATE POLICY p ON t USING (true); CREATE DOMAIN d AS int CONSTRAINT dc CHECK (VALUE > 0); CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING; CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'begin end'; CREATE EVENT TRIGGER ev ON ddl_command_end EXECUTE FUNCTION e();
COMMENT ON CONSTRAINT c ON t IS 'a'; COMMENT ON INDEX i IS 'a'; COMMENT ON POLICY p ON t IS 'a'; COMMENT ON CONSTRAINT dc ON DOMAIN d IS 'a'; COMMENT ON RULE r ON t IS 'a'; COMMENT ON EVENT TRIGGER ev IS 'a';
-- name: a partition on another server
CREATE EXTENSION postgres_fdw; CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'x', dbname 'y'); CREATE USER MAPPING FOR postgres SERVER s OPTIONS (user 'u', password 'p'); CREATE TABLE p(x int) PARTITION BY LIST (x); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE FOREIGN TABLE p2 PARTITION OF p FOR VALUES IN (2) SERVER s; INSERT INTO p VALUES (1);
-- name: conditions that are read back flat
CREATE TABLE t(a varchar(9), b char(3), c text, n numeric(9, 2) DEFAULT -1.5, i int DEFAULT -1, d date DEFAULT 'infinity', f float8 DEFAULT 1, j jsonb, r int4range, v interval DEFAULT '1 day', g int GENERATED ALWAYS AS (CASE WHEN i BETWEEN 1 AND 2 AND n > 0 OR n < -5 THEN coalesce(i, 0) ELSE -i END) STORED,
  CHECK (i BETWEEN -1 AND 2 AND f > 0), CHECK (((i > 0 OR n > 0) OR f > 0) OR (c IS NULL AND b IS NULL)), CHECK (a NOT IN ('x', 'y') AND b IN ('k', 'l', '')), CHECK (i NOT BETWEEN SYMMETRIC 9 AND 8), CHECK ((a, c) IS DISTINCT FROM (c, a) OR (i, n) < (f, 5)), CHECK (c LIKE '%x' ESCAPE '!' AND c ~ 'y' AND NOT c SIMILAR TO 'z' OR c IS NULL), CHECK (extract(year FROM d) > 1 AND d::timestamptz AT TIME ZONE 'UTC' > 'epoch' AND overlay(c placing 'a' from 1) <> trim(both from a)), CHECK (c = ANY ('{a,b}') AND (j ->> 'a') IN ('b', 'c') OR true), EXCLUDE USING gist (r WITH &&) WHERE (i > 0 AND n > 0 AND f > 0));
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';
CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW WHEN ((OLD.a, OLD.b, OLD.c, OLD.i) IS DISTINCT FROM (NEW.a, NEW.b, NEW.c, NEW.i)) EXECUTE FUNCTION f();
CREATE INDEX ON t ((a || b), (lower(a))) WHERE a IN ('a', 'b') AND i BETWEEN 0 AND 9 AND n IS NOT NULL;
ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING ((a = current_user OR i BETWEEN 1 AND 3 OR a IN ('x', 'z')) AND n > 0) WITH CHECK (a IN ('x', 'z') AND i > 0 AND n > 0);
CREATE STATISTICS st ON (i + 1), (a || c) FROM t; CREATE DOMAIN dm AS varchar(5) CHECK (VALUE IN ('a', 'b') AND VALUE <> 'c' AND length(VALUE) BETWEEN 1 AND 3);
CREATE VIEW v AS SELECT *, i BETWEEN 1 AND 2 AND n > 0 AS q, (a, i) = ('x', 1) AND f > 0 AS w FROM t WHERE (a IN ('x', 'y') OR i > 0 OR n > 0) AND (c, a) NOT IN (SELECT c, a FROM t) GROUP BY t.a, t.b, t.c, t.n, t.i, t.d, t.f, t.j, t.r, t.v, t.g HAVING count(*) FILTER (WHERE i BETWEEN 1 AND 2 AND n > 0) >= 0 ORDER BY a LIMIT 5;
CREATE RULE r AS ON DELETE TO t WHERE OLD.i BETWEEN 1 AND 2 AND OLD.a IN ('x', 'y') AND OLD.n > 0 DO INSTEAD NOTHING;
CREATE FUNCTION at(x int, y varchar DEFAULT 'a') RETURNS boolean LANGUAGE sql BEGIN ATOMIC SELECT x BETWEEN 1 AND 2 AND y IN ('a', 'b') AND x > 0; END;
INSERT INTO t(i, f, n) VALUES (1, 2, 3);
-- name: comments on what only a superuser makes
CREATE TABLE t(x int); INSERT INTO t VALUES (1); CREATE OPERATOR FAMILY f USING btree; CREATE OPERATOR CLASS c FOR TYPE int USING btree FAMILY f AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int); COMMENT ON OPERATOR CLASS c USING btree IS 'a'; COMMENT ON OPERATOR FAMILY f USING btree IS 'b'; CREATE FUNCTION plus(int, int) RETURNS int LANGUAGE internal AS 'int4pl'; COMMENT ON FUNCTION plus(int, int) IS 'c'; CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler; COMMENT ON ACCESS METHOD heap2 IS 'd'; CREATE FOREIGN DATA WRAPPER w; COMMENT ON FOREIGN DATA WRAPPER w IS 'f'; CREATE SERVER s FOREIGN DATA WRAPPER w; COMMENT ON SERVER s IS 'g'; CREATE TEXT SEARCH TEMPLATE tpl (LEXIZE = dsimple_lexize, INIT = dsimple_init); COMMENT ON TEXT SEARCH TEMPLATE tpl IS 'h'; CREATE TEXT SEARCH PARSER par (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline); COMMENT ON TEXT SEARCH PARSER par IS 'i'; CREATE TYPE e AS ENUM ('a'); CREATE CAST (int AS e) WITH INOUT; COMMENT ON CAST (int AS e) IS 'j'; CREATE PUBLICATION p FOR ALL TABLES; COMMENT ON PUBLICATION p IS 'k';
-- name: a base type with operators
CREATE TYPE base; CREATE FUNCTION base_in(cstring) RETURNS base LANGUAGE internal IMMUTABLE STRICT AS 'textin'; CREATE FUNCTION base_out(base) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout'; CREATE TYPE base (INPUT = base_in, OUTPUT = base_out); CREATE FUNCTION base_eq(base, base) RETURNS bool LANGUAGE internal IMMUTABLE AS 'texteq'; CREATE OPERATOR = (LEFTARG = base, RIGHTARG = base, FUNCTION = base_eq, RESTRICT = eqsel); COMMENT ON OPERATOR =(base, base) IS 'a'; COMMENT ON TYPE base IS 'b'; CREATE TABLE t(x int); INSERT INTO t VALUES (1);
