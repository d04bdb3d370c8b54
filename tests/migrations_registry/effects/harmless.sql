-- Ordinary migrations: what each does stands in its text, or follows from what the target does by itself.

-- case: a new table
CREATE TABLE fresh (id bigserial PRIMARY KEY, v text UNIQUE, keep_id int REFERENCES keep);
ALTER TABLE fresh ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON fresh USING (true);
GRANT SELECT ON fresh TO PUBLIC;

-- case: a new column
ALTER TABLE keep ADD COLUMN note text, ADD COLUMN made timestamptz DEFAULT now();

-- case: a column filled
ALTER TABLE keep ADD COLUMN note text;
UPDATE keep SET note = v WHERE note IS NULL;

-- case: a serial column
ALTER TABLE target ADD COLUMN n serial;

-- case: an index
CREATE INDEX ON keep (label);
CREATE UNIQUE INDEX i ON keep (lower(v));

-- case: a constraint in two steps
ALTER TABLE keep ADD CONSTRAINT c CHECK (id > 0) NOT VALID;
ALTER TABLE keep VALIDATE CONSTRAINT c;

-- case: a foreign key
ALTER TABLE target ADD FOREIGN KEY (a) REFERENCES keep;

-- case: not null
ALTER TABLE target ALTER COLUMN b SET NOT NULL;
ALTER TABLE keep ALTER COLUMN v DROP NOT NULL;

-- case: a default
ALTER TABLE target ALTER COLUMN a SET DEFAULT 5;
INSERT INTO target (id) VALUES (9);

-- case: a wider type
ALTER TABLE keep ALTER COLUMN v TYPE varchar(200);

-- case: a key's type
ALTER TABLE keep ALTER COLUMN id TYPE bigint;

-- case: renamed
ALTER TABLE keep RENAME COLUMN label TO title;
ALTER TABLE children RENAME TO kids;
ALTER INDEX keep_v RENAME TO keep_value;
DELETE FROM kids WHERE id = 1;

-- case: another schema
CREATE SCHEMA app;
ALTER TABLE target SET SCHEMA app;
UPDATE app.target SET a = 4;

-- case: dropped with what hangs on it
DROP TABLE keep CASCADE;

-- case: a dropped view
DROP VIEW seen;
DROP MATERIALIZED VIEW counted;

-- case: a dropped column
ALTER TABLE keep DROP COLUMN label;
ALTER TABLE target DROP COLUMN a CASCADE;

-- case: a dropped type
DROP TYPE mood;

-- case: rows that cascade
DELETE FROM keep WHERE id < 10;

-- case: emptied with those that refer
TRUNCATE keep RESTART IDENTITY CASCADE;

-- case: rows through a view
UPDATE seen SET b = 'through';
DELETE FROM seen;

-- case: rows that move to another partition
UPDATE parts SET day = 15 WHERE day = 3;

-- case: a partition
CREATE TABLE parts_3 PARTITION OF parts FOR VALUES FROM (20) TO (30);
ALTER TABLE parts ADD n int;
CREATE INDEX ON parts (day);
INSERT INTO parts VALUES (1, 25);
ALTER TABLE parts DETACH PARTITION parts_1;

-- case: merge and conflict
INSERT INTO target VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET a = 3;
MERGE INTO target t USING (VALUES (1), (5)) s (id) ON t.id = s.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.id);

-- case: a sequence
SELECT setval('counter', 700);
ALTER SEQUENCE counter RESTART;
SELECT setval(pg_get_serial_sequence('children', 'id'), 99);

-- case: a function and its trigger
CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.label := 'touched'; RETURN NEW; END $$;
DROP TRIGGER keep_touch ON keep;
CREATE TRIGGER keep_touch BEFORE UPDATE ON keep FOR EACH ROW EXECUTE FUNCTION touch();
UPDATE keep SET v = 'x';

-- case: a view
CREATE OR REPLACE VIEW seen AS SELECT id, a, b, calm FROM target;
ALTER VIEW seen SET (security_invoker);

-- case: a refreshed view
REFRESH MATERIALIZED VIEW counted;

-- case: an enum swapped
CREATE TYPE mood_new AS ENUM ('good');
DROP TYPE mood;
ALTER TYPE mood_new RENAME TO mood;

-- case: rights
GRANT SELECT (v) ON keep TO PUBLIC;
REVOKE ALL ON target FROM PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC;

-- case: row security
ALTER TABLE target ENABLE ROW LEVEL SECURITY;
ALTER POLICY own ON keep USING (id > 0);
DROP POLICY own ON keep_1;
CREATE POLICY own ON keep_1 USING (false);

-- case: triggers silenced for a while
ALTER TABLE keep DISABLE TRIGGER keep_touch;
UPDATE keep SET v = 'y';
ALTER TABLE keep ENABLE TRIGGER keep_touch;

-- case: a block
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_type WHERE typname = 'tone') THEN CREATE TYPE tone AS ENUM ('a'); END IF; UPDATE target SET a = 8; END $$;

-- case: a function called
CREATE FUNCTION fill() RETURNS void LANGUAGE sql AS 'UPDATE public.target SET a = 0';
SELECT fill();
DROP FUNCTION fill();

-- case: temporary help
CREATE TEMP TABLE help AS SELECT id FROM keep;
CREATE INDEX ON help (id);
UPDATE keep SET v = 'z' FROM help WHERE help.id = keep.id;
DELETE FROM help;
DROP TABLE help;

-- case: comments and statistics
COMMENT ON TABLE keep IS 'x';
COMMENT ON COLUMN keep.v IS 'y';
ANALYZE keep;
CREATE STATISTICS s ON id, v FROM keep;
ALTER TABLE keep ALTER COLUMN v SET STATISTICS 500;

-- case: an extension
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX ON keep USING gin (v gin_trgm_ops);

-- case: words only
SELECT 'DROP TABLE keep; DELETE FROM target' AS words;

-- case: another path
SET search_path = public;
UPDATE target SET a = 1;
SELECT set_config('search_path', '', false);
UPDATE public.target SET a = 2;

-- case: a lock and a notice
LOCK TABLE target;
NOTIFY pgrst, 'reload schema';
SELECT pg_advisory_xact_lock(4);

-- case: identity
ALTER TABLE target ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;
ALTER TABLE target ALTER COLUMN id SET START WITH 5 RESTART;

-- case: names that need quotes
CREATE TABLE "Odd Name" ("Order" int);
ALTER TABLE "Odd Name" ADD COLUMN "user" text;
INSERT INTO "Odd Name" VALUES (1);

-- case: a trigger of the target that keeps a log
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO public.children (keep_id) VALUES (NULL); RETURN NEW; END $$;
CREATE TRIGGER audited AFTER UPDATE ON target FOR EACH ROW EXECUTE FUNCTION audit();
UPDATE target SET a = 5;

-- case: stored otherwise
ALTER TABLE target SET UNLOGGED;
ALTER TABLE target SET LOGGED;
CLUSTER keep USING keep_v;

-- case: a domain
CREATE DOMAIN d AS int CHECK (VALUE > 0);
ALTER DOMAIN d ADD CONSTRAINT e CHECK (VALUE < 9);
ALTER TABLE target ADD COLUMN k d DEFAULT 3;

-- case: partitions of a loop
DO $$ BEGIN
  FOR i IN 3..5 LOOP
    EXECUTE format('CREATE TABLE parts_%s PARTITION OF parts FOR VALUES FROM (%s0) TO (%s9)', i, i, i);
  END LOOP;
END $$;

-- case: the database by what it is called
DO $$ BEGIN
  EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO effects_owner WITH GRANT OPTION', current_database());
  EXECUTE format('COMMENT ON DATABASE %I IS %L', current_database(), 'ours');
END $$;

-- case: partitions of many days
DO $$ DECLARE d date := '2026-01-01'; name text; BEGIN
  WHILE d < '2026-04-01' LOOP
    name := 'parts_' || to_char(d, 'YYYYMMDD');
    EXECUTE format('CREATE TABLE %I PARTITION OF parts FOR VALUES FROM (%L) TO (%L)', name, to_char(d, 'YYYYMMDD')::int,
                   to_char(d + 1, 'YYYYMMDD')::int);
    d := d + interval '1 month';
  END LOOP;
END $$;
