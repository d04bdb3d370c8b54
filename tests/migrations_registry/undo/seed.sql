-- What migrations destroy in the test of undo: one of each kind of object, rows of every shape of table.
CREATE SCHEMA extra;
CREATE TYPE mood AS ENUM ('calm', 'busy', 'late');
CREATE TYPE pair AS (a integer, b text);
CREATE DOMAIN short AS text CHECK (length(VALUE) < 40);
CREATE SEQUENCE ticket START 500;
CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := coalesce(NEW.note, 'stamped'); RETURN NEW; END $$;
CREATE TABLE people (
  id serial PRIMARY KEY, name text NOT NULL DEFAULT 'x', email varchar(200) UNIQUE, age integer CHECK (age > 0),
  note short, tags text[] NOT NULL DEFAULT '{}', shouted text GENERATED ALWAYS AS (upper(name)) STORED
);
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person integer REFERENCES people ON DELETE CASCADE,
  amount numeric(12, 2) NOT NULL DEFAULT 1, state mood NOT NULL DEFAULT 'calm', at timestamptz DEFAULT now(), note text,
  CONSTRAINT sane CHECK (amount < 100000)
);
CREATE TABLE labels (person integer REFERENCES people, label text, weight real DEFAULT 1, PRIMARY KEY (person, label));
CREATE TABLE "Odd Log" (at timestamptz, "what is" text);
CREATE TABLE extra.parts (id integer, kind text, body text, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
CREATE TABLE extra.parts_a PARTITION OF extra.parts FOR VALUES IN ('a');
CREATE TABLE extra.parts_b PARTITION OF extra.parts DEFAULT;
CREATE INDEX orders_at ON orders (at) WHERE note IS NOT NULL;
CREATE UNIQUE INDEX people_lower ON people (lower(email));
CREATE VIEW busy AS SELECT o.id, p.name FROM orders o JOIN people p ON p.id = o.person WHERE o.state = 'busy';
CREATE VIEW busier AS SELECT count(*) AS n FROM busy;
CREATE MATERIALIZED VIEW sums AS SELECT person, sum(amount) AS total FROM orders GROUP BY person;
CREATE TRIGGER stamped BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE RULE quiet AS ON DELETE TO "Odd Log" WHERE old."what is" = 'never' DO INSTEAD NOTHING;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON orders FOR SELECT TO PUBLIC USING (person > 0);
CREATE STATISTICS kinship ON person, state FROM orders;
COMMENT ON TABLE orders IS 'what people want';
COMMENT ON COLUMN orders.amount IS 'in euros; before tax';
COMMENT ON FUNCTION twice(integer) IS 'as much again';
GRANT SELECT, INSERT ON orders TO PUBLIC;
GRANT SELECT (name, email) ON people TO PUBLIC;
INSERT INTO people (name, email, age, note, tags)
  SELECT 'name ' || g, 'p' || g || '@example.com', g, CASE WHEN g % 3 > 0 THEN 'note ' || g END, ARRAY['t' || g] FROM generate_series(1, 20) g;
INSERT INTO orders (person, amount, state, note)
  SELECT 1 + g % 20, g * 1.25, (ARRAY['calm', 'busy', 'late']::mood[])[1 + g % 3], 'order ' || g FROM generate_series(1, 40) g;
INSERT INTO labels SELECT 1 + g % 20, 'l' || g, g FROM generate_series(1, 30) g;
INSERT INTO "Odd Log" SELECT timestamptz '2026-01-01' + g * interval '1 hour', 'what ' || g % 4 FROM generate_series(1, 12) g;
INSERT INTO extra.parts SELECT g, (ARRAY['a', 'b', 'c'])[1 + g % 3], 'body ' || g FROM generate_series(1, 15) g;
REFRESH MATERIALIZED VIEW sums;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO PUBLIC;
