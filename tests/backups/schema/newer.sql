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
