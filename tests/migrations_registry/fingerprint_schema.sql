-- One of each kind of object that a fingerprint tells apart, besides Sampelit's own tables.
CREATE SCHEMA reports;
CREATE TYPE mood AS ENUM ('calm', 'tense');
CREATE TYPE pair AS (a integer, b text);
CREATE TYPE span AS RANGE (subtype = numeric);
CREATE DOMAIN percent AS integer DEFAULT 0 CHECK (VALUE BETWEEN 0 AND 100);
CREATE SEQUENCE tickets INCREMENT 2;
CREATE TABLE things (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  gone integer,
  name varchar(40) NOT NULL DEFAULT 'x; -- y',
  state mood DEFAULT 'calm',
  part percent,
  twice integer GENERATED ALWAYS AS (part * 2) STORED,
  label text COLLATE "C",
  CONSTRAINT known CHECK (name IN ('a', 'b', 'x; -- y') AND (part > 1 OR part < 50 AND label LIKE 'q%')),
  EXCLUDE USING gist (box(point(0, 0), point(1, 1)) WITH &&)
);
ALTER TABLE things DROP COLUMN gone;
CREATE INDEX things_open ON things (lower(name) text_pattern_ops DESC) INCLUDE (state) WHERE state IN ('calm', 'tense');
CREATE TABLE events (at timestamptz NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX events_at ON events (at);
CREATE TABLE parents (id integer);
CREATE TABLE children (note text) INHERITS (parents);
CREATE VIEW calm_things WITH (security_invoker = true) AS
  SELECT t.id, t.name, CASE WHEN t.name IN ('a', 'b') THEN 1 ELSE 2 END AS rank FROM things t JOIN parents USING (id);
CREATE MATERIALIZED VIEW reports.counts AS SELECT state, count(*) AS n FROM things WHERE label = ANY ('{a,b}'::text[]) GROUP BY state;
CREATE UNIQUE INDEX counts_state ON reports.counts (state);
CREATE FUNCTION describe(thing things, loud boolean DEFAULT false) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
  SET search_path = pg_catalog RETURN CASE WHEN loud THEN upper(thing.name) ELSE thing.name END;
CREATE PROCEDURE tidy() LANGUAGE plpgsql AS $$ BEGIN DELETE FROM events; END $$;
CREATE AGGREGATE longest(text) (SFUNC = textcat, STYPE = text);
CREATE RULE keep AS ON DELETE TO parents DO INSTEAD NOTHING;
CREATE POLICY calm_only ON things AS RESTRICTIVE FOR SELECT TO anon, authenticated USING (state = ANY (ARRAY['calm'::mood]));
ALTER TABLE things ENABLE ROW LEVEL SECURITY;
CREATE STATISTICS things_together (dependencies) ON name, label FROM things;
CREATE FUNCTION noticed() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE EVENT TRIGGER notice_ddl ON ddl_command_end EXECUTE FUNCTION noticed();
CREATE PUBLICATION changes FOR TABLE things;
GRANT SELECT (name) ON things TO anon;
GRANT USAGE ON SEQUENCE tickets TO authenticated WITH GRANT OPTION;
REVOKE EXECUTE ON FUNCTION describe FROM PUBLIC;
COMMENT ON TABLE things IS 'of all sorts';
ALTER TABLE things REPLICA IDENTITY FULL;
INSERT INTO things (name, part, label) VALUES ('a', 3, 'q');
CREATE FOREIGN DATA WRAPPER far;
CREATE SERVER afar FOREIGN DATA WRAPPER far;
CREATE TEXT SEARCH CONFIGURATION plain (COPY = simple);
CREATE TEXT SEARCH DICTIONARY short (TEMPLATE = simple);
CREATE CONVERSION odd_latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE OPERATOR FAMILY numbers USING btree;
