SET check_function_bodies = off;  -- a function may use a table that comes later

-- default public.parent.id
ALTER TABLE "public"."parent" ALTER COLUMN "id" SET DEFAULT nextval('public.parent_id_seq'::regclass);

-- default public.parent.m
ALTER TABLE "public"."parent" ALTER COLUMN "m" SET DEFAULT 'ok'::public.mood;

-- sequence_owner public.parent_id_seq
ALTER SEQUENCE public.parent_id_seq OWNED BY public.parent.id;

-- sequence_value child_id_seq
SELECT pg_catalog.setval('public.child_id_seq', 2, true);

-- sequence_value parent_id_seq
SELECT pg_catalog.setval('public.parent_id_seq', 2, true);

-- primary_key child_pkey
ALTER TABLE public.child ADD CONSTRAINT child_pkey PRIMARY KEY (id);

-- primary_key parent_pkey
ALTER TABLE public.parent ADD CONSTRAINT parent_pkey PRIMARY KEY (id);

-- unique parent_m_id_key
ALTER TABLE public.parent ADD CONSTRAINT parent_m_id_key UNIQUE (m, id);

-- check child_note_check
ALTER TABLE public.child ADD CONSTRAINT child_note_check CHECK ((note <> ''::text));

-- index child_parent_idx
CREATE INDEX child_parent_idx ON public.child USING btree (parent);

-- foreign_key child_parent_fkey
ALTER TABLE public.child ADD CONSTRAINT child_parent_fkey FOREIGN KEY (parent) REFERENCES public.parent(id);

-- row_security child
ALTER TABLE public.child ENABLE ROW LEVEL SECURITY;

-- policy all_rows
CREATE POLICY all_rows ON public.child AS PERMISSIVE FOR ALL TO PUBLIC USING (true);

-- view public.v
CREATE VIEW public.v AS  SELECT id,
    parent,
    note
   FROM public.child;
