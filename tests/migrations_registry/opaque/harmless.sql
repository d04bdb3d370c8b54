-- Ordinary migrations that run nothing but what only answers: all routine. One case a heading.

-- case: a function that nobody calls
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM orders; DROP TABLE lines; END $$;

-- case: a procedure that nobody calls
CREATE PROCEDURE p() LANGUAGE sql AS 'TRUNCATE orders';

-- case: a touch trigger
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();

-- case: a touch trigger that fires
CREATE TABLE n (id bigint PRIMARY KEY, at timestamptz);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at = clock_timestamp(); RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON n FOR EACH ROW WHEN (NEW.at IS NULL) EXECUTE FUNCTION touch();
INSERT INTO n VALUES (1), (2);

-- case: an audit trigger
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO log (what, who, row_before) VALUES (TG_OP, current_user, to_jsonb(OLD));
  RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER audit AFTER UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION audit();

-- case: a trigger that refuses
CREATE FUNCTION deny() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.amount < 0 THEN RAISE EXCEPTION 'negative amount %', NEW.amount USING ERRCODE = '23514'; END IF;
  RETURN NEW;
END $$;
CREATE CONSTRAINT TRIGGER deny AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION deny();

-- case: a trigger that tells others
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_notify('orders', NEW.id::text); RETURN NULL; END $$;
CREATE TRIGGER tell AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION tell();

-- case: triggers of PostgreSQL
CREATE TRIGGER same BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TRIGGER words BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger(words, 'pg_catalog.english', note);

-- case: the trigger of an extension
CREATE TRIGGER moved BEFORE UPDATE ON orders FOR EACH ROW EXECUTE PROCEDURE extensions.moddatetime(updated_at);

-- case: a trigger of a new table whose function is older
CREATE TABLE fresh (id int, updated_at timestamptz);
CREATE TRIGGER touch BEFORE UPDATE ON fresh FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- case: defaults
CREATE TABLE n (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), at timestamptz NOT NULL DEFAULT now(), day date DEFAULT CURRENT_DATE,
  number bigint DEFAULT nextval('ticket'), who text DEFAULT current_user, tags text[] DEFAULT '{}', note jsonb DEFAULT '{}'::jsonb,
  token text DEFAULT encode(sha256(random()::text::bytea), 'hex'), expires timestamptz DEFAULT now() + interval '1 day'
);
INSERT INTO n (note) VALUES ('{"a": 1}');

-- case: a default of an extension
CREATE TABLE n (id uuid PRIMARY KEY DEFAULT uuid_generate_v4(), secret bytea DEFAULT extensions.gen_random_bytes(16));
INSERT INTO n DEFAULT VALUES;

-- case: another default
ALTER TABLE orders ALTER COLUMN note SET DEFAULT upper('x');

-- case: a new column with a default
ALTER TABLE orders ADD COLUMN made timestamptz DEFAULT now(), ADD COLUMN state text DEFAULT lower('NEW');

-- case: checks
CREATE TABLE n (
  email text CHECK (email ~* '^[^@]+@[^@]+$'), length int CHECK (length BETWEEN 1 AND 9), a int, b int,
  CONSTRAINT one CHECK (num_nonnulls(a, b) = 1), CHECK (char_length(trim(email)) > 3), CHECK (a IS DISTINCT FROM b)
);
INSERT INTO n (email, length, a) VALUES ('a@b.c', 2, 1);

-- case: a check in two steps
ALTER TABLE orders ADD CONSTRAINT c CHECK (jsonb_typeof(data) = 'object' AND length(note) < 80) NOT VALID;

-- case: computed columns
CREATE TABLE n (
  a int, b int GENERATED ALWAYS AS (abs(a) * 2) STORED,
  words tsvector GENERATED ALWAYS AS (to_tsvector('english', coalesce(note, ''))) STORED, note text
);
INSERT INTO n (a) VALUES (1);

-- case: indexes of a new table
CREATE TABLE n (id int, email text, gone timestamptz, data jsonb, note text);
CREATE UNIQUE INDEX ON n (lower(email)) WHERE gone IS NULL;
CREATE INDEX ON n USING gin ((data -> 'tags') jsonb_path_ops);
CREATE INDEX ON n (date_trunc('day', gone AT TIME ZONE 'UTC')) WHERE id > 0;
CREATE INDEX ON n (md5(note), (id % 10));
INSERT INTO n VALUES (1, 'a@b.c', NULL, '{}', 'x');

-- case: concurrent indexes
CREATE INDEX CONCURRENTLY i ON orders (lower(note)) WHERE amount > 0;

-- case: no overlaps
CREATE TABLE n (room int, during tstzrange, EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (room <> 0));
INSERT INTO n VALUES (1, tstzrange(now(), now() + interval '1 hour'));

-- case: a domain
CREATE DOMAIN email AS text CHECK (VALUE ~ '^.+@.+$' AND length(VALUE) < 255);
CREATE TABLE n (e email);
INSERT INTO n VALUES ('a@b.c'::email);

-- case: partitions by an expression
CREATE TABLE n (id int, at date) PARTITION BY RANGE (extract(year FROM at));
CREATE TABLE n_0 PARTITION OF n DEFAULT;
INSERT INTO n VALUES (1, '2026-01-01');

-- case: policies
CREATE TABLE n (id uuid PRIMARY KEY, owner uuid DEFAULT auth.uid());
ALTER TABLE n ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON n FOR ALL TO authenticated USING (auth.uid() = owner) WITH CHECK ((SELECT auth.uid()) = owner);
CREATE POLICY staff ON n FOR SELECT USING ((auth.jwt() ->> 'role') = 'staff' OR current_setting('request.who', true) = 'x');

-- case: a policy with an older function
CREATE POLICY staff ON orders FOR SELECT TO authenticated USING (is_staff(auth.uid()));

-- case: views
CREATE VIEW v WITH (security_invoker = on) AS
  SELECT o.id, count(*) FILTER (WHERE l.id > 1) OVER (PARTITION BY o.id ORDER BY o.id) AS n, string_agg(l.note, ', ') AS notes
  FROM orders o JOIN lines l ON l.order_id = o.id GROUP BY o.id, l.id HAVING max(l.id) > 0;
SELECT * FROM v;

-- case: a view with an older function
CREATE VIEW v WITH (security_invoker = on) AS SELECT price_of(id) AS price FROM orders;

-- case: an operator and a cast of built-ins
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq, COMMUTATOR = ===, RESTRICT = eqsel, JOIN = eqjoinsel);
SELECT 1 === 2;
CREATE AGGREGATE product(numeric) (SFUNC = numeric_mul, STYPE = numeric, INITCOND = 1);
SELECT product(amount) FROM orders;

-- case: a range
CREATE TYPE span AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi);
SELECT span(1, 2) && '[1,3]'::span;

-- case: a function that only reads
CREATE FUNCTION next_number(for_day date DEFAULT CURRENT_DATE) RETURNS bigint LANGUAGE sql STABLE AS
  'SELECT coalesce(max(number), 0) + 1 FROM orders WHERE day = for_day';
SELECT next_number();

-- case: functions that call one another
CREATE FUNCTION odd(n int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN n <> 0 AND even(n - 1); END $$;
CREATE FUNCTION even(n int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN n = 0 OR odd(n - 1); END $$;
SELECT odd(7);

-- case: a block that looks first
DO $$
DECLARE n int := (SELECT count(*) FROM orders); r record;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'mood') THEN CREATE TYPE mood AS ENUM ('a'); END IF;
  FOR r IN SELECT id FROM orders WHERE id < 10 LOOP RAISE NOTICE 'order % of %', r.id, n; END LOOP;
  n := n + greatest(1, 2);
EXCEPTION WHEN duplicate_object THEN NULL;
END $$;

-- case: a scratch table in a block
DO $$ BEGIN CREATE TEMP TABLE scratch (id int); INSERT INTO scratch SELECT 1; DELETE FROM scratch; DROP TABLE scratch; END $$;

-- case: a scratch table
CREATE TEMP TABLE scratch ON COMMIT PRESERVE ROWS AS SELECT id FROM orders;
UPDATE scratch SET id = id + 1;
DELETE FROM scratch;
DROP TABLE scratch;

-- case: rows
INSERT INTO settings (key, value) VALUES ('a', '1') ON CONFLICT (key) DO UPDATE SET value = excluded.value;
INSERT INTO notes (text) SELECT format('%s: %s', id, upper(note)) FROM orders WHERE note ILIKE 'a%' ORDER BY id LIMIT 5;
UPDATE orders SET note = trim(note) WHERE id = 7;
UPDATE orders SET note = coalesce(code, 'none') WHERE note IS NULL;

-- case: rows in json
INSERT INTO notes (data) SELECT jsonb_build_object('id', id, 'tags', array_agg(tag ORDER BY tag)) FROM orders, unnest(tags) AS tag GROUP BY id;
SELECT * FROM generate_series(1, 3) AS n, LATERAL (SELECT n * 2) AS twice, jsonb_to_recordset('[]') AS x (a int);

-- case: a sequence
CREATE SEQUENCE s;
CREATE TABLE n (id bigint DEFAULT nextval('s'));
SELECT setval('s', (SELECT max(id) FROM n));

-- case: questions
SELECT pg_size_pretty(pg_total_relation_size('orders')), version(), pg_backend_pid(), txid_current(), to_regclass('x');
SELECT pg_advisory_xact_lock(hashtext('migrations'));
EXPLAIN SELECT count(*) FROM orders WHERE lower(note) = 'x';

-- case: search by similarity
SELECT note FROM orders WHERE note % 'x' ORDER BY note <-> 'x', similarity(note, 'x'), unaccent(note) LIMIT 5;

-- case: statistics
CREATE STATISTICS s ON lower(note), id FROM orders;
ANALYZE orders;

-- case: a comment about danger
COMMENT ON TABLE orders IS 'SELECT wipe(); DELETE FROM orders';
SELECT 'SELECT wipe()' AS text, $$ EXECUTE 'DROP TABLE orders' $$ AS more;
