-- Ways to run public.wipe() (or calm(), which runs it) that no reader of calls sees. One case a heading.

-- case: AFTER INSERT trigger
CREATE TRIGGER t AFTER INSERT ON public.target FOR EACH ROW EXECUTE FUNCTION public.wiping();
INSERT INTO public.target VALUES (2, 2, 'two', true);

-- case: BEFORE UPDATE trigger
CREATE TRIGGER t BEFORE UPDATE ON public.target FOR EACH ROW EXECUTE FUNCTION public.wiping();
UPDATE public.target SET a = 2;

-- case: AFTER DELETE trigger
CREATE TRIGGER t AFTER DELETE ON public.target FOR EACH ROW EXECUTE FUNCTION public.wiping();
DELETE FROM public.target;

-- case: statement trigger
CREATE TRIGGER t BEFORE INSERT ON public.target FOR EACH STATEMENT EXECUTE FUNCTION public.wiping();
INSERT INTO public.target VALUES (2, 2, 'two', true);

-- case: TRUNCATE trigger
CREATE TRIGGER t AFTER TRUNCATE ON public.target FOR EACH STATEMENT EXECUTE FUNCTION public.wiping();
TRUNCATE public.target;

-- case: INSTEAD OF trigger
CREATE TRIGGER t INSTEAD OF INSERT ON public.seen FOR EACH ROW EXECUTE FUNCTION public.wiping();
INSERT INTO public.seen VALUES (3, 3, 'x');

-- case: deferred trigger
CREATE CONSTRAINT TRIGGER t AFTER INSERT ON public.target DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.wiping();
INSERT INTO public.target VALUES (2, 2, 'two', true);

-- case: trigger WHEN
CREATE TRIGGER t AFTER INSERT ON public.target FOR EACH ROW WHEN (public.wipe() = 0) EXECUTE FUNCTION public.touch();
INSERT INTO public.target VALUES (2, 2, 'two', true);

-- case: trigger of a partition
CREATE TRIGGER t AFTER INSERT ON public.parts FOR EACH ROW EXECUTE FUNCTION public.wiping();
INSERT INTO public.parts VALUES (1, 1);

-- case: column default
ALTER TABLE public.target ALTER COLUMN a SET DEFAULT public.wipe();
INSERT INTO public.target (id) VALUES (2);

-- case: default of a new column
ALTER TABLE public.target ADD COLUMN n int DEFAULT public.wipe();

-- case: check
ALTER TABLE public.target ADD CHECK (public.calm(a) > 0);

-- case: check not valid
ALTER TABLE public.target ADD CHECK (public.calm(a) > 0) NOT VALID;
INSERT INTO public.target VALUES (2, 2, 'two', true);

-- case: generated column
ALTER TABLE public.target ADD COLUMN g int GENERATED ALWAYS AS (public.calm(a)) STORED;

-- case: index expression
CREATE INDEX ON public.target (public.calm(a));

-- case: index predicate
CREATE INDEX ON public.target (a) WHERE public.calm(a) > 0;

-- case: exclusion
ALTER TABLE public.target ADD EXCLUDE USING btree (public.calm(a) WITH =);

-- case: rule
CREATE RULE r AS ON INSERT TO public.target DO ALSO SELECT public.wipe();
INSERT INTO public.target VALUES (2, 2, 'two', true);

-- case: view
CREATE VIEW public.w AS SELECT public.wipe();
SELECT * FROM public.w;

-- case: materialized view
CREATE MATERIALIZED VIEW public.w AS SELECT public.wipe();

-- case: refreshed view
CREATE MATERIALIZED VIEW public.w AS SELECT public.wipe() WITH NO DATA;
REFRESH MATERIALIZED VIEW public.w;

-- case: domain
CREATE DOMAIN public.d AS int CHECK (public.calm(VALUE) > 0);
SELECT 1::public.d;

-- case: operator
CREATE FUNCTION public.both(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT public.wipe() = 1';
CREATE OPERATOR public.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = public.both);
SELECT 1 OPERATOR(public.===) 1;

-- case: cast
CREATE TYPE public.odd AS (n int);
CREATE FUNCTION public.cast_it(public.odd) RETURNS text LANGUAGE sql AS 'SELECT public.wipe()::text';
CREATE CAST (public.odd AS text) WITH FUNCTION public.cast_it(public.odd);
SELECT ROW(1)::public.odd::text;

-- case: aggregate
CREATE FUNCTION public.step(int, int) RETURNS int LANGUAGE sql AS 'SELECT public.wipe()';
CREATE AGGREGATE public.total(int) (SFUNC = public.step, STYPE = int);
SELECT public.total(a) FROM public.target;

-- case: window
SELECT sum(public.wipe()) OVER () FROM public.target;

-- case: policy
ALTER TABLE public.target ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON public.target USING (public.wipe() = 1);
SET LOCAL row_security = on;
SELECT * FROM public.target;

-- case: partition key
CREATE TABLE public.split (a int) PARTITION BY LIST (public.calm(a));
CREATE TABLE public.split_1 PARTITION OF public.split DEFAULT;
INSERT INTO public.split VALUES (1);

-- case: type change
ALTER TABLE public.target ALTER COLUMN calm TYPE int USING public.wipe();

-- case: statistics
CREATE STATISTICS public.s ON public.calm(a), id FROM public.target;
ANALYZE public.target;

-- case: table from a query
CREATE TABLE public.made AS SELECT public.wipe();

-- case: insert from a query
INSERT INTO public.target SELECT public.wipe() + 1;

-- case: update to its value
UPDATE public.target SET a = public.wipe();

-- case: where
DELETE FROM public.target WHERE public.wipe() = 0;

-- case: returning
INSERT INTO public.target VALUES (2) RETURNING public.wipe();

-- case: conflict
INSERT INTO public.target VALUES (1) ON CONFLICT (id) DO UPDATE SET a = public.wipe();

-- case: merge
MERGE INTO public.target USING (VALUES (1)) s (id) ON target.id = s.id WHEN MATCHED AND public.wipe() = 1 THEN UPDATE SET a = 1;

-- case: limit
SELECT id FROM public.target LIMIT public.wipe();

-- case: lateral
SELECT * FROM public.target, LATERAL (SELECT public.wipe()) w;

-- case: with
WITH w AS MATERIALIZED (SELECT public.wipe() AS n) SELECT n FROM w;

-- case: prepared
PREPARE p AS SELECT public.wipe();
EXECUTE p;

-- case: explain analyze
EXPLAIN ANALYZE SELECT public.wipe();

-- case: explain that only plans
EXPLAIN SELECT public.calm(1);

-- case: cursor
DECLARE c CURSOR FOR SELECT public.wipe();
FETCH c;

-- case: block
DO $$ BEGIN PERFORM public.wipe(); END $$;

-- case: built text
DO $$ BEGIN EXECUTE reverse(')(epiw.cilbup TCELES'); END $$;

-- case: procedure
CREATE PROCEDURE public.p() LANGUAGE plpgsql AS $$ BEGIN PERFORM public.wipe(); END $$;
CALL public.p();

-- case: text search
SELECT * FROM ts_stat($$SELECT to_tsvector('x') FROM (SELECT public.wipe() OFFSET 0) w WHERE w.wipe = 1$$);

-- case: xml
SELECT query_to_xml('SELECT public.wipe()', true, false, '');

-- case: default arguments
CREATE FUNCTION public.given(n int DEFAULT public.wipe()) RETURNS int LANGUAGE sql AS 'SELECT n';
SELECT public.given();
