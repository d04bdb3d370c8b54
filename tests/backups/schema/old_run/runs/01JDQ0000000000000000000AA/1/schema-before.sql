SET check_function_bodies = off;  -- a function may use a table that comes later

-- schema public
CREATE SCHEMA IF NOT EXISTS "public";

-- schema public
CREATE SCHEMA IF NOT EXISTS public;

-- enum public.mood
CREATE TYPE public.mood AS ENUM ('sad', 'ok');

-- sequence public.parent_id_seq
CREATE SEQUENCE public.parent_id_seq AS integer START 1 INCREMENT 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1;

-- table public.child
CREATE TABLE "public"."child" ("id" integer GENERATED ALWAYS AS IDENTITY NOT NULL, "parent" integer, "note" text);

-- table public.parent
CREATE TABLE "public"."parent" ("id" integer NOT NULL, "m" public.mood NOT NULL);

-- schema public
CREATE SCHEMA IF NOT EXISTS "public";

-- function public.n()
CREATE OR REPLACE FUNCTION public.n()
 RETURNS bigint
 LANGUAGE sql
AS $function$select count(*) from parent$function$
;
