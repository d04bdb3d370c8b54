CREATE SCHEMA "odd ñame";
CREATE EXTENSION IF NOT EXISTS citext;
CREATE TYPE "odd ñame".mood AS ENUM ('sad', 'ok', 'glad "so"');
CREATE DOMAIN "odd ñame".positive AS numeric(10, 2) NOT NULL DEFAULT 1 CHECK (VALUE > 0);
CREATE TYPE "odd ñame".point3 AS (x float8, y int, m "odd ñame".mood);
CREATE TYPE "odd ñame".span AS RANGE (SUBTYPE = float8);
CREATE TABLE "odd ñame"."Ünïcode ""quoted"" 63 bytes" (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    serial_one bigserial,
    m "odd ñame".mood, ms "odd ñame".mood[], d "odd ñame".positive, p "odd ñame".point3, ps "odd ñame".point3[],
    r "odd ñame".span, ci citext, n numeric, f float8, f4 float4, t text, v varchar(20), c char(5), b bytea,
    ts timestamp, tz timestamptz, dt date, tm time, tmz timetz, iv interval, u uuid, j json, jb jsonb, x xml,
    ip inet, net cidr, mac macaddr, bits bit varying(8), pt point, bx box, tsv tsvector, money money, oids oid,
    cls regclass, i4r int4range, tzr tstzmultirange, ia int[][], ta text[],
    doubled numeric GENERATED ALWAYS AS (n * 2) STORED,
    "select" int UNIQUE, CHECK (f4 IS NULL OR f4 > -1000)
);
INSERT INTO "odd ñame"."Ünïcode ""quoted"" 63 bytes"
 (m, ms, d, p, ps, r, ci, n, f, f4, t, v, c, b, ts, tz, dt, tm, tmz, iv, u, j, jb, x, ip, net, mac, bits, pt, bx, tsv, money,
  oids, cls, i4r, tzr, ia, ta, "select")
VALUES
 ('glad "so"', '{sad,ok}', 5, '(1.5,2,ok)', ARRAY['(1,2,sad)'::"odd ñame".point3], '[1.5,2.5)', 'CiTeXt', 'NaN', 'Infinity', 1.1,
  E'tab\t nl\n cr\r back\\slash "q" ñ 日 😀 \\N', '', 'ab', '\x00ff10', '-infinity', 'infinity', '4713-01-01 BC',
  '23:59:59.999999', '12:00:00+02', '1 year 2 mons 3 days 04:05:06.7', gen_random_uuid(), '{"a": 1, "a": 2}',
  '{"a": [1, 2.50, null]}', '<a>b</a>', '10.0.0.1/8', '10.0.0.0/8', '08:00:2b:01:02:03', B'101', '(1,2)', '(1,2),(3,4)',
  'fat & cat'::tsquery::text::tsvector, 12.34, 42, 'pg_class', '[1,5)', '{[2020-01-01,2021-01-01)}', '{{1,2},{3,4}}', '{a,NULL,""}', 1),
 (NULL, '{}', 0.01, NULL, NULL, 'empty', NULL, '-0.0010', '-0', NULL, '', NULL, NULL, '', NULL, NULL, 'infinity', NULL, NULL, NULL,
  NULL, NULL, 'null', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE "odd ñame".parts (id int, at date NOT NULL, t text) PARTITION BY RANGE (at);
CREATE TABLE "odd ñame".parts_old PARTITION OF "odd ñame".parts FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
CREATE TABLE "odd ñame".parts_new PARTITION OF "odd ñame".parts FOR VALUES FROM ('2020-01-01') TO (MAXVALUE);
ALTER TABLE "odd ñame".parts ADD PRIMARY KEY (id, at);
CREATE INDEX parts_t ON "odd ñame".parts (lower(t));
INSERT INTO "odd ñame".parts SELECT i, '2019-06-01'::date + i, 'row ' || i FROM generate_series(1, 500) i;
CREATE TABLE "odd ñame".guarded (id int PRIMARY KEY, parent int REFERENCES "odd ñame".guarded, t text);
INSERT INTO "odd ñame".guarded VALUES (1, NULL, 'a'), (2, 1, 'b');
ALTER TABLE "odd ñame".guarded ENABLE ROW LEVEL SECURITY;
ALTER TABLE "odd ñame".guarded FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON "odd ñame".guarded USING (t = current_user);
CREATE TABLE "odd ñame".wide (id int, big text);
ALTER TABLE "odd ñame".wide ALTER COLUMN big SET STORAGE EXTERNAL;
INSERT INTO "odd ñame".wide SELECT i, (SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 20000) g WHERE i > 0) FROM generate_series(1, 6) i;
CREATE TABLE "odd ñame".columnless ();

-- The other built-in types, in a table whose name has 63 bytes.
CREATE TABLE "odd ñame"."every_other_built_in_type_ééééééééééééééééééx" (
    i2 smallint, i8 bigint, yes boolean, ch "char", nm name, fixed bit(3), m8 macaddr8, ln line, sg lseg, pa path, pg polygon, ci circle,
    path jsonpath, lsn pg_lsn, tid tid, x8 xid8, snap pg_snapshot, nr numrange, dr daterange, tr tsrange, i8r int8range,
    im int4multirange, nm2 nummultirange, proc regproc, typ regtype, role regrole, ts_a timestamptz[], by_a bytea[], u_a uuid[], jb_a jsonb[]
);
INSERT INTO "odd ñame"."every_other_built_in_type_ééééééééééééééééééx" VALUES
 (-32768, 9223372036854775807, true, 'c', 'nm', B'101', '08:00:2b:01:02:03:04:05', '{1,2,3}', '[(0,0),(1,1)]', '((0,0),(1,1))', '((0,0),(1,1),(2,0))',
  '<(1,1),2>', '$.a[*] ? (@ > 1)', '16/B374D848', '(0,1)', '42', '10:20:10,14', '[1.5,)', '[2020-01-01,2021-01-01)', 'empty', '(,5]',
  '{[1,3),[5,8)}', '{}', 'now', 'integer', 'postgres', ARRAY['infinity'::timestamptz, NULL], ARRAY['\x00'::bytea], ARRAY[]::uuid[], ARRAY['{"a": 1}'::jsonb]),
 (NULL, NULL, NULL, '', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

-- An empty tsquery is sent in binary but not read again; its table falls back to CSV.
CREATE TABLE "odd ñame".queries (q tsquery);
INSERT INTO "odd ñame".queries VALUES (''), ('fat & !cat');
