-- name: virtual columns
CREATE TABLE t(a int, v int GENERATED ALWAYS AS (a * 2) VIRTUAL, s int GENERATED ALWAYS AS (a + 1) STORED, b text);
INSERT INTO t(a, b) VALUES (1, 'x'), (2, NULL);
-- name: keys and checks that are not enforced
CREATE TABLE a(x int PRIMARY KEY);
CREATE TABLE b(x int, CONSTRAINT big CHECK (x > 100) NOT ENFORCED, FOREIGN KEY (x) REFERENCES a NOT ENFORCED);
INSERT INTO b VALUES (1), (2);
-- name: keys over time
CREATE EXTENSION btree_gist;
CREATE TABLE stay(room int, during daterange, PRIMARY KEY (room, during WITHOUT OVERLAPS));
CREATE TABLE bill(room int, during daterange, UNIQUE (room, during WITHOUT OVERLAPS),
  FOREIGN KEY (room, PERIOD during) REFERENCES stay);
INSERT INTO stay VALUES (1, '[2026-01-01,2026-02-01)'), (1, '[2026-02-01,2026-03-01)');
INSERT INTO bill VALUES (1, '[2026-01-10,2026-02-10)');
-- name: names of what must not be null
CREATE TABLE t(a int CONSTRAINT there NOT NULL NO INHERIT, b int);
CREATE TABLE u(c int) INHERITS (t);
INSERT INTO t VALUES (1, NULL);
ALTER TABLE t ADD CONSTRAINT later NOT NULL b NOT VALID;
COMMENT ON CONSTRAINT there ON t IS 'said';
-- name: vectors
CREATE EXTENSION vector;
CREATE TABLE t(id int PRIMARY KEY, v vector(3));
INSERT INTO t VALUES (1, '[1,2,3]'), (2, NULL);
CREATE INDEX ON t USING hnsw (v vector_l2_ops);
-- name: digests of the platform's extension
CREATE SCHEMA extensions;
CREATE EXTENSION pgcrypto SCHEMA extensions;
CREATE EXTENSION "uuid-ossp" SCHEMA extensions;
CREATE FUNCTION mark(text) RETURNS text IMMUTABLE LANGUAGE sql AS $$SELECT encode(extensions.digest($1, 'sha256'), 'hex')$$;
CREATE TABLE t(id uuid DEFAULT extensions.uuid_generate_v4(), x text, m text GENERATED ALWAYS AS (mark(x)) STORED);
INSERT INTO t(x) VALUES ('a');
-- name: partitions with statistics and rights
CREATE TABLE p(id bigint GENERATED ALWAYS AS IDENTITY, at date NOT NULL, x text COLLATE "C") PARTITION BY RANGE (at);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX ON p (at, x);
CREATE STATISTICS st (mcv) ON at, x FROM p;
GRANT SELECT, MAINTAIN ON p TO anon;
ALTER TABLE p ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON p FOR SELECT TO anon USING (x <> 'secret');
INSERT INTO p(at, x) VALUES ('2026-05-05', 'é');
-- name: virtual columns in trees, over types, with checks and statistics
CREATE DOMAIN d AS int CHECK (VALUE > -9); CREATE TABLE p(a int, b text COLLATE "C", v text GENERATED ALWAYS AS (upper(b) || a::text) VIRTUAL, n int GENERATED ALWAYS AS (a * 2)) PARTITION BY LIST (a); CREATE TABLE p1(n int GENERATED ALWAYS AS (a * 3), v text GENERATED ALWAYS AS (b) VIRTUAL, b text COLLATE "C", a int); ALTER TABLE p ATTACH PARTITION p1 DEFAULT; ALTER TABLE p ADD CHECK (n < 100 AND v <> ''); INSERT INTO p(a, b) VALUES (1, 'x'), (2, NULL); CREATE TABLE i(x int, y int GENERATED ALWAYS AS (x + 1) VIRTUAL NOT NULL); CREATE TABLE j(y int GENERATED ALWAYS AS (x + 5) VIRTUAL) INHERITS (i); INSERT INTO j(x) VALUES (1); CREATE VIEW w AS SELECT y, v FROM i, p; ALTER TABLE i ADD z int GENERATED ALWAYS AS (coalesce(x, 0)) VIRTUAL; CREATE TABLE lone(v int GENERATED ALWAYS AS (1) VIRTUAL); INSERT INTO lone DEFAULT VALUES; INSERT INTO lone DEFAULT VALUES;
-- name: a virtual column that fails for its rows
CREATE TABLE t(x int, y int, v int GENERATED ALWAYS AS (x / y) VIRTUAL); INSERT INTO t VALUES (1, 1), (1, 0); CREATE TABLE u(id int PRIMARY KEY); INSERT INTO u VALUES (1);
-- name: what must not be empty, named, inherited, not valid, on leaves
CREATE TABLE p(a int CONSTRAINT "p nn" NOT NULL, b int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p (b CONSTRAINT leaf NOT NULL) DEFAULT; INSERT INTO p VALUES (1, 1); CREATE TABLE i(x int CONSTRAINT nn NOT NULL, y int CONSTRAINT yn NOT NULL NO INHERIT); CREATE TABLE j(x int CONSTRAINT jj NOT NULL, z int) INHERITS (i); INSERT INTO j VALUES (1, 1, NULL); ALTER TABLE j ADD CONSTRAINT later NOT NULL z NOT VALID; CREATE TABLE k(a int PRIMARY KEY, b int CONSTRAINT a_key NOT NULL UNIQUE); COMMENT ON CONSTRAINT nn ON i IS 'c'; ALTER TABLE i ALTER CONSTRAINT nn NO INHERIT;
-- name: keys and checks not enforced, in trees and over partitions
CREATE TABLE a(x int PRIMARY KEY) PARTITION BY LIST (x); CREATE TABLE a1 PARTITION OF a DEFAULT; CREATE TABLE b(x int CONSTRAINT f REFERENCES a NOT ENFORCED, y int, CONSTRAINT c CHECK (y > 5) NOT ENFORCED) PARTITION BY LIST (y); CREATE TABLE b1 PARTITION OF b DEFAULT; INSERT INTO b VALUES (77, 1); CREATE TABLE c(y int, CONSTRAINT c CHECK (y > 5) NOT ENFORCED); CREATE TABLE d(CONSTRAINT c CHECK (y > 5) NOT ENFORCED) INHERITS (c); INSERT INTO d VALUES (1); ALTER TABLE b ADD CONSTRAINT g FOREIGN KEY (y) REFERENCES a NOT VALID NOT ENFORCED;
-- name: keys over time, of partitions, with actions, multiranges
CREATE EXTENSION btree_gist; CREATE TABLE r(id int, at tsmultirange, PRIMARY KEY (id, at WITHOUT OVERLAPS)) PARTITION BY LIST (id); CREATE TABLE r1 PARTITION OF r DEFAULT; CREATE TABLE s(id int, at tsmultirange, FOREIGN KEY (id, PERIOD at) REFERENCES r (id, PERIOD at)); INSERT INTO r VALUES (1, '{[2026-01-01,2026-02-01),[2026-03-01,2026-04-01)}'); INSERT INTO s VALUES (1, '{[2026-01-05,2026-01-06),[2026-03-02,2026-03-03)}'); CREATE DOMAIN dr AS daterange; CREATE TABLE u(a text, at dr, CONSTRAINT "w o" UNIQUE (a, at WITHOUT OVERLAPS)); INSERT INTO u VALUES ('x', '[2026-01-01,2026-02-01)'), (NULL, '(,)');
-- name: returning old and new, in functions and rules, casefold, uuids of time
CREATE TABLE t(id uuid DEFAULT uuidv7() PRIMARY KEY, x text COLLATE pg_unicode_fast, f text GENERATED ALWAYS AS (casefold(x COLLATE pg_unicode_fast)) STORED); INSERT INTO t(x) VALUES ('Straße'), ('İ'); CREATE FUNCTION f(i text) RETURNS SETOF text LANGUAGE sql BEGIN ATOMIC UPDATE t SET x = i RETURNING WITH (OLD AS o, NEW AS n) o.x || n.x; END; CREATE FUNCTION g() RETURNS void LANGUAGE sql BEGIN ATOMIC MERGE INTO t USING (SELECT 'a' AS k) q ON t.x = q.k WHEN MATCHED THEN DELETE WHEN NOT MATCHED BY SOURCE THEN UPDATE SET x = 'z' RETURNING merge_action(), OLD.x, NEW.x; SELECT 1; END; CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end'; CREATE VIEW v AS SELECT * FROM t;
