-- Rules that add to or replace what a statement does, as CREATE RULE; a view's own query is none of them.
WITH RECURSIVE up AS (
  SELECT w.oid AS rule, w.ev_class AS relation FROM pg_catalog.pg_rewrite w
  WHERE w.ev_type <> '1' AND w.ev_enabled IN ('O', 'A') AND w.oid >= 16384
  UNION
  SELECT up.rule, i.inhparent FROM up JOIN pg_catalog.pg_inherits i ON i.inhrelid = up.relation
)
SELECT n.nspname::pg_catalog.text, c.relname::pg_catalog.text, w.rulename::pg_catalog.text,
  CASE w.ev_type WHEN '2' THEN 16 WHEN '3' THEN 4 ELSE 8 END, pg_catalog.pg_get_ruledef(w.oid)
FROM up JOIN pg_catalog.pg_rewrite w ON w.oid = up.rule JOIN pg_catalog.pg_class c ON c.oid = up.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
