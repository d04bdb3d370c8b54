CREATE TABLE keep (id int PRIMARY KEY, v text NOT NULL, label text DEFAULT 'x', CONSTRAINT v_short CHECK (length(v) < 100));
ALTER TABLE keep ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON keep USING (true);
CREATE INDEX keep_v ON keep (v);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER keep_touch BEFORE UPDATE ON keep FOR EACH ROW EXECUTE FUNCTION touch();
INSERT INTO keep SELECT n, 'value ' || n FROM generate_series(1, 1000) n;
DO $$
BEGIN
  FOR n IN 1..11 LOOP
    EXECUTE format('CREATE TABLE keep_%1$s (LIKE keep INCLUDING ALL); ALTER TABLE keep_%1$s ENABLE ROW LEVEL SECURITY;'
      'CREATE POLICY own ON keep_%1$s USING (true); INSERT INTO keep_%1$s SELECT * FROM keep;'
      'CREATE TRIGGER keep_touch BEFORE UPDATE ON keep_%1$s FOR EACH ROW EXECUTE FUNCTION touch()', n);
  END LOOP;
END $$;
CREATE TABLE children (id serial PRIMARY KEY, keep_id int REFERENCES keep ON DELETE CASCADE);
INSERT INTO children (keep_id) SELECT n FROM generate_series(1, 50) n;
CREATE SEQUENCE counter;
SELECT setval('counter', 500);
CREATE TABLE target (id int PRIMARY KEY, a int, b text, calm boolean);
INSERT INTO target VALUES (1, 1, 'one', true);
CREATE TABLE parts (id int, day int) PARTITION BY RANGE (day);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
INSERT INTO parts SELECT n, n % 20 FROM generate_series(1, 100) n;
CREATE VIEW seen AS SELECT id, a, b FROM target;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM target;
CREATE TYPE mood AS ENUM ('good', 'bad');
ANALYZE;
