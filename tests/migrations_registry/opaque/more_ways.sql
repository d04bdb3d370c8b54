-- Further ways than those that are measured, most of them attached by names that are no calls. One case a heading.

-- case: rule that replaces
CREATE RULE r AS ON UPDATE TO public.target WHERE public.wipe() = 1 DO INSTEAD NOTHING;
UPDATE public.target SET a = 1 WHERE id = 1;

-- case: event trigger
CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION public.wiping();

-- case: default of a new table
CREATE TABLE public.n (id int, a int DEFAULT public.wipe());
INSERT INTO public.n (id) VALUES (1);

-- case: check of a new table
CREATE TABLE public.n (id int, a int CHECK (public.calm(a) > 0));
INSERT INTO public.n VALUES (1, 1);

-- case: table check of a new table
CREATE TABLE public.n (id int, a int, CONSTRAINT c CHECK (public.calm(a) > 0));
INSERT INTO public.n VALUES (1, 1);

-- case: computed column of a new table
CREATE TABLE public.n (id int, a int GENERATED ALWAYS AS (public.calm(id)) STORED);
INSERT INTO public.n (id) VALUES (1);

-- case: index of a new table
CREATE TABLE public.n (id int);
CREATE INDEX ON public.n (public.calm(id));
INSERT INTO public.n VALUES (1);

-- case: trigger of a parent
CREATE TABLE public.n (id int) PARTITION BY LIST (id);
CREATE TABLE public.n1 PARTITION OF public.n DEFAULT;
CREATE TRIGGER t AFTER INSERT ON public.n FOR EACH ROW EXECUTE FUNCTION public.wiping();
INSERT INTO public.n1 VALUES (1);

-- case: new expression of a computed column
ALTER TABLE public.target ALTER COLUMN a SET EXPRESSION AS (public.calm(id));

-- case: operator without its name
CREATE OPERATOR public.<<<< (LEFTARG = int, RIGHTARG = int, PROCEDURE = public.wipe);
SELECT 1 <<<< 2;

-- case: operator's estimator
CREATE OPERATOR public.<<<< (LEFTARG = int, RIGHTARG = int, FUNCTION = int4lt, RESTRICT = public.wipe);

-- case: operator changed
ALTER OPERATOR public.<<<< (int, int) SET (RESTRICT = public.wipe);

-- case: operator class
CREATE OPERATOR CLASS public.c DEFAULT FOR TYPE public.odd USING btree AS OPERATOR 1 <, FUNCTION 1 public.wipe(public.odd, public.odd);

-- case: operator family
ALTER OPERATOR FAMILY public.c USING btree ADD FUNCTION 1 (int, int) public.wipe(int, int);

-- case: implicit cast
CREATE CAST (text AS public.odd) WITH FUNCTION public.wipe(text) AS IMPLICIT;

-- case: final function of an aggregate
CREATE AGGREGATE public.total(int) (SFUNC = int4pl, STYPE = int, FINALFUNC = public.wipe);

-- case: old form of an aggregate
CREATE AGGREGATE public.total (BASETYPE = int, SFUNC = public.wipe, STYPE = int);

-- case: range type
CREATE TYPE public.r AS RANGE (SUBTYPE = int, SUBTYPE_DIFF = public.wipe);

-- case: base type
CREATE TYPE public.b (INPUT = public.wipe, OUTPUT = int4out);

-- case: type changed
ALTER TYPE public.b SET (RECEIVE = public.wipe);

-- case: domain changed
ALTER DOMAIN public.d ADD CONSTRAINT c CHECK (public.calm(VALUE) > 0);

-- case: conversion
CREATE DEFAULT CONVERSION public.c FOR 'UTF8' TO 'LATIN1' FROM public.wipe;

-- case: transform
CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION public.wipe(internal));

-- case: text search template
CREATE TEXT SEARCH TEMPLATE public.t (LEXIZE = public.wipe);

-- case: support function
CREATE FUNCTION public.supported(int) RETURNS int LANGUAGE sql SUPPORT public.wipe AS 'SELECT 1';

-- case: sampling
SELECT * FROM public.target TABLESAMPLE public.wipe(5);

-- case: order by an operator
SELECT * FROM public.target ORDER BY a USING OPERATOR(public.<<<<);

-- case: declared variable
DO $$ DECLARE n int := public.wipe(); BEGIN NULL; END $$;

-- case: declared cursor
DO $$ DECLARE c CURSOR FOR SELECT public.wipe(); BEGIN OPEN c; END $$;

-- case: assignment
DO $$ DECLARE n int; BEGIN n := public.wipe(); END $$;

-- case: condition
DO $$ BEGIN IF public.wipe() = 1 THEN NULL; END IF; END $$;

-- case: loop
DO $$ BEGIN FOR n IN 1..public.wipe() LOOP NULL; END LOOP; END $$;

-- case: message
DO $$ BEGIN RAISE NOTICE '%', public.wipe(); END $$;

-- case: handler
DO $$ BEGIN NULL; EXCEPTION WHEN others THEN PERFORM public.wipe(); END $$;

-- case: argument of a prepared statement
PREPARE p AS SELECT $1::int;
EXECUTE p(public.wipe());

-- case: function from a text
DO $$ BEGIN EXECUTE 'SELECT public.wipe()'; END $$;

-- case: copied out
COPY (SELECT public.wipe()) TO STDOUT;

-- case: materialized by EXPLAIN
EXPLAIN ANALYZE CREATE TABLE public.made AS SELECT public.wipe();

-- case: nested in a policy
ALTER POLICY own ON public.keep USING (public.wipe() = 1);
SELECT * FROM public.keep;

-- case: view over a view
CREATE VIEW public.w AS SELECT public.wipe();
CREATE VIEW public.x AS SELECT * FROM public.w;
SELECT * FROM public.x;

-- case: rows through a view
CREATE VIEW public.w AS SELECT id, a FROM public.target WHERE public.wipe() = 1;
UPDATE public.w SET a = 1 WHERE id = 4;

-- case: a view of the file over a table of it
CREATE TABLE public.n (id int, a int DEFAULT public.wipe());
CREATE VIEW public.w AS SELECT id FROM public.n;
INSERT INTO public.w VALUES (1);

-- case: renamed between
CREATE TABLE public.n (id int, a int DEFAULT public.wipe());
ALTER TABLE public.n RENAME TO m;
INSERT INTO public.m (id) VALUES (1);

-- case: moved between
CREATE TABLE public.n (id int, a int DEFAULT public.wipe());
ALTER TABLE public.n SET SCHEMA app;
INSERT INTO app.n (id) VALUES (1);

-- case: made like another
CREATE TABLE public.n (id int, a int DEFAULT public.wipe());
CREATE TABLE public.m (LIKE public.n INCLUDING ALL);
INSERT INTO public.m (id) VALUES (1);

-- case: attached between
CREATE TABLE public.n (id int) PARTITION BY LIST (id);
CREATE TABLE public.m (id int, a int DEFAULT public.wipe());
ALTER TABLE public.n ATTACH PARTITION public.m DEFAULT;
INSERT INTO public.n VALUES (1);

-- case: declared with a type of the target
DO $$ DECLARE n public.odd NOT NULL DEFAULT public.wipe(); m public.keep.v%TYPE := 'x'; BEGIN NULL; END $$;

-- case: declared as a row
DO $$ DECLARE n public.keep%ROWTYPE := public.wipe(); BEGIN NULL; END $$;

-- case: declared inside
DO $$ BEGIN DECLARE "N" public.odd := public.wipe(); BEGIN NULL; END; END $$;
