-- Triggers that fire, with their function: what they do is read in its text. One of a partition fires for its parents'
-- statements too; one of no table (an event trigger) for whatever changes the schema.
WITH RECURSIVE up AS (
  SELECT t.oid AS trigger, t.tgrelid AS relation FROM pg_catalog.pg_trigger t
  WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
  UNION
  SELECT up.trigger, i.inhparent FROM up JOIN pg_catalog.pg_inherits i ON i.inhrelid = up.relation
)
SELECT n.nspname::pg_catalog.text, c.relname::pg_catalog.text, t.tgname::pg_catalog.text, t.tgtype::pg_catalog.int4,
  t.tgfoid::pg_catalog.int8
FROM up JOIN pg_catalog.pg_trigger t ON t.oid = up.trigger JOIN pg_catalog.pg_class c ON c.oid = up.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
UNION ALL
SELECT NULL, NULL, e.evtname::pg_catalog.text, 0, e.evtfoid::pg_catalog.int8
FROM pg_catalog.pg_event_trigger e WHERE e.evtenabled IN ('O', 'A')
