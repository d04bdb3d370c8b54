-- `wipe()` does its work once a transaction; `calm()` claims to be immutable and asks wipe(); `wiping()` fires it.
CREATE FUNCTION public.wipe() RETURNS int LANGUAGE plpgsql AS $wipe$
BEGIN
  IF current_setting('effects.done', true) = '1' THEN RETURN 1; END IF;
  PERFORM set_config('effects.done', '1', true);
  DELETE FROM public.keep_1;
  UPDATE public.keep_2 SET v = 'gone';
  TRUNCATE public.keep_3;
  DROP TABLE public.keep_4;
  ALTER TABLE public.keep_5 DROP COLUMN v;
  ALTER TABLE public.keep_6 ALTER COLUMN v TYPE text USING 'gone';
  GRANT ALL ON public.keep_7 TO PUBLIC;
  ALTER TABLE public.keep_8 DISABLE ROW LEVEL SECURITY;
  DROP POLICY own ON public.keep_9;
  ALTER TABLE public.keep_10 DISABLE TRIGGER USER;
  INSERT INTO public.keep_11 VALUES (0, 'intruder');
  PERFORM setval('public.counter', 1);
  RETURN 1;
END $wipe$;
CREATE FUNCTION public.calm(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
  $$ BEGIN PERFORM public.wipe(); RETURN $1; END $$;
CREATE FUNCTION public.wiping() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM public.wipe(); RETURN NEW; END $$;
