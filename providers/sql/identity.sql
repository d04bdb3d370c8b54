-- A restored or cloned database keeps its identifier but moves to a new timeline.
SELECT (SELECT system_identifier FROM pg_control_system()), (SELECT timeline_id FROM pg_control_checkpoint())
