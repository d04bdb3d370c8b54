-- Everything the frame of a page shows, in one round trip.
SELECT
  (SELECT count(*) FROM operations_operation WHERE status = 'awaiting_approval') AS waiting,
  (SELECT count(*) FROM operations_task WHERE closed_at IS NULL) AS open_tasks,
  (SELECT beat_at FROM operations_heartbeat WHERE name = 'ledger.verified') AS ledger_at,
  (SELECT (detail ->> 'valid')::boolean FROM operations_heartbeat WHERE name = 'ledger.verified') AS ledger_valid,
  (SELECT coalesce(json_agg(json_build_object('pk', id, 'slug', slug, 'kind', kind) ORDER BY protected DESC, slug), '[]')
     FROM operations_environment) AS environments
