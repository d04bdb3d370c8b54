-- A small world in which every sample of every rule can run.
CREATE SCHEMA app;
CREATE SCHEMA auth;
CREATE TABLE auth.users (id uuid PRIMARY KEY);
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TYPE spare_mood AS ENUM ('a');
CREATE TYPE pair AS (a int, b int);
CREATE DOMAIN positive AS int CONSTRAINT positive_check CHECK (value > 0);
CREATE DOMAIN score AS int;
CREATE DOMAIN spare_domain AS text;
CREATE EXTENSION citext;
CREATE SEQUENCE ticket;
CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL);
CREATE UNIQUE INDEX customers_email_idx ON customers (email);
CREATE TABLE orders (
    id bigint PRIMARY KEY, customer_id bigint NOT NULL, amount numeric(10, 2), note text, code varchar(50), status mood,
    created_at timestamptz DEFAULT now()
);
ALTER TABLE customers ADD CONSTRAINT customers_email CHECK (email <> '') NOT VALID;
ALTER TABLE orders ADD CONSTRAINT orders_amount CHECK (amount >= 0) NOT VALID;
CREATE INDEX orders_note_idx ON orders (note);
CREATE TABLE lines (id bigint PRIMARY KEY, order_id bigint CONSTRAINT lines_order_fk REFERENCES orders (id));
CREATE TABLE keyless (id bigint NOT NULL, ref bigint);
CREATE UNIQUE INDEX keyless_id_idx ON keyless (id);
CREATE UNIQUE INDEX keyless_ref_idx ON keyless (ref);
CREATE TABLE stamped (at timestamp, code varchar(20) CONSTRAINT stamped_code CHECK (code <> ''));
CREATE INDEX stamped_at_idx ON stamped (at);
CREATE INDEX stamped_lower_idx ON stamped (lower(code));
CREATE TABLE void (id bigint);
CREATE TABLE counted (id bigint GENERATED ALWAYS AS IDENTITY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED);
CREATE TABLE games (points score);
CREATE TABLE ruled (id bigint);
CREATE RULE ruled_rule AS ON DELETE TO ruled DO INSTEAD NOTHING;
CREATE TABLE events (at int) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (100);
CREATE TABLE events_new (at int);
CREATE TABLE metered (at int) PARTITION BY RANGE (at);
CREATE TABLE metered_rest PARTITION OF metered DEFAULT;
CREATE VIEW recent AS SELECT id, created_at FROM orders;
CREATE MATERIALIZED VIEW totals AS SELECT at, count(*) AS parts FROM events_new GROUP BY at;
CREATE UNIQUE INDEX totals_at_idx ON totals (at);
CREATE ACCESS METHOD spare TYPE TABLE HANDLER heap_tableam_handler;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION spare() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE spare_procedure() LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE spare_sum(int) (SFUNC = int4pl, STYPE = int);
CREATE TRIGGER orders_touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
CREATE POLICY orders_read ON orders USING (id > 0);
CREATE PUBLICATION feed FOR TABLE orders;
INSERT INTO customers SELECT n, 'c' || n FROM generate_series(1, 200) AS n;
INSERT INTO orders SELECT n, n, n, 'n' || n, 'c' || n, 'sad' FROM generate_series(1, 200) AS n;
INSERT INTO lines SELECT n, n FROM generate_series(1, 200) AS n;
INSERT INTO keyless SELECT n, n FROM generate_series(1, 200) AS n;
INSERT INTO counted (a) SELECT n FROM generate_series(1, 200) AS n;
INSERT INTO stamped SELECT timestamp '2020-01-01', 'c' || n FROM generate_series(1, 200) AS n;
INSERT INTO games SELECT n FROM generate_series(1, 200) AS n;
INSERT INTO metered SELECT 500 FROM generate_series(1, 200);
INSERT INTO events_new SELECT 150 FROM generate_series(1, 200);
REFRESH MATERIALIZED VIEW totals;
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I', role);
        END IF;
    END LOOP;
END $$;
