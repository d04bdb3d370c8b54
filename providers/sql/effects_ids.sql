-- Asked from outside: whether the transaction runs on this very server, and an id that is younger than all of its own.
SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.pg_xact_status(%(xid)s::pg_catalog.text::pg_catalog.xid8),
  pg_catalog.pg_current_xact_id()::pg_catalog.text
