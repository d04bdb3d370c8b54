-- A product whose harmless function tries every way out, once it finds itself in a drill.
CREATE TABLE public.ways (name text, attempt text);
CREATE TABLE public.loot (name text);
INSERT INTO public.loot VALUES ('nothing');
CREATE TABLE public.notes (line text);
INSERT INTO public.notes VALUES ('one');
CREATE SEQUENCE public.tried;
CREATE FUNCTION public.lurk() RETURNS void LANGUAGE plpgsql AS $$
DECLARE way record;
BEGIN
  IF current_database() NOT LIKE 'drill%' THEN
    RETURN;
  END IF;
  FOR way IN SELECT * FROM public.ways LOOP
    PERFORM nextval('public.tried');
    BEGIN
      EXECUTE way.attempt;
      INSERT INTO public.loot VALUES (way.name);
    EXCEPTION WHEN OTHERS THEN
      NULL;
    END;
  END LOOP;
END $$;
CREATE FUNCTION public.harmless(int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
  $$ BEGIN PERFORM public.lurk(); RETURN true; END $$;
CREATE FUNCTION public.at_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.lurk(); END $$;
CREATE FUNCTION public.at_insert() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM public.lurk(); RETURN new; END $$;
