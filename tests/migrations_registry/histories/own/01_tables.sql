\set ON_ERROR_STOP 1
CREATE TABLE people (id integer PRIMARY KEY, name text NOT NULL, at timestamptz DEFAULT now());
INSERT INTO people (id, name) SELECT g, 'person ' || g FROM generate_series(1, 20) g;
