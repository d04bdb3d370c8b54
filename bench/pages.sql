-- Years of work: rows made from one that is there, with what must differ. Ids sort behind those of the story.
SET session_replication_role = replica;
WITH base AS MATERIALIZED ( -- once: the table grows under each further look
    SELECT DISTINCT ON (status) * FROM operations_operation WHERE status IN ('succeeded', 'failed') ORDER BY status, id)
INSERT INTO operations_operation SELECT made.* FROM generate_series(1, %(operations)s) n
JOIN base ON base.status = CASE WHEN mod(n, 12) = 0 THEN 'failed' ELSE 'succeeded' END
CROSS JOIN LATERAL jsonb_populate_record(NULL::operations_operation, to_jsonb(base) || jsonb_build_object(
    'id', '00' || lpad(n::text, 24, '0'), 'exclusive_key', 'bench:' || n, 'subject', 'subject ' || n, 'reason', 'change ' || n,
    'kind', (ARRAY['deployments.deploy', 'deployments.restart', 'backups.export', 'backups.verify'])[1 + mod(n, 4)],
    'requested_at', now() - n * interval '7 minutes', 'ended_at', now() - n * interval '7 minutes' + interval '90 seconds',
    'error', CASE WHEN mod(n, 12) = 0 THEN 'It failed, number ' || n ELSE '' END)) made;

INSERT INTO ledger_entry SELECT made.* FROM (SELECT * FROM ledger_entry ORDER BY sequence LIMIT 1) base
CROSS JOIN generate_series((SELECT sequence + 1 FROM ledger_head), (SELECT sequence FROM ledger_head) + %(entries)s) n
CROSS JOIN LATERAL jsonb_populate_record(NULL::ledger_entry, to_jsonb(base) || jsonb_build_object(
    'sequence', n, 'at', now() - interval '3 years' + n * interval '5 minutes', 'actor', 'operator' || mod(n, 9), 'mac', '',
    'code', (ARRAY['operations.requested', 'operations.succeeded', 'deployments.started', 'deployments.live'])[1 + mod(n, 4)],
    'environment', (ARRAY['production', 'staging'])[1 + mod(n, 2)], 'subject', 'api ' || md5(n::text), 'seeded', false,
    'sha256', encode(sha256(n::text::bytea), 'hex'), 'previous_sha256', encode(sha256((n - 1)::text::bytea), 'hex'))) made;
UPDATE ledger_head SET (sequence, sha256) = (SELECT sequence, sha256 FROM ledger_entry ORDER BY sequence DESC LIMIT 1);

INSERT INTO backups_run SELECT made.* FROM (SELECT * FROM backups_run WHERE status = 'proven' AND retired_at IS NULL ORDER BY id LIMIT 1) base
CROSS JOIN generate_series(1, %(runs)s) n
CROSS JOIN LATERAL jsonb_populate_record(NULL::backups_run, to_jsonb(base) || jsonb_build_object(
    'id', '00' || lpad(n::text, 24, '0'), 'operation_id', '00' || lpad((4 * n - 2)::text, 24, '0'),
    'status', CASE WHEN mod(n, 20) = 0 THEN 'failed' ELSE 'proven' END,
    'started_at', now() - n * interval '3 hours', 'stored_at', now() - n * interval '3 hours' + interval '60 seconds',
    'proven_at', now() - n * interval '3 hours' + interval '90 seconds', 'ended_at', now() - n * interval '3 hours')) made;
INSERT INTO backups_segment (run_id, "table", position, key, rows, digest, raw_bytes, raw_sha256, stored_bytes, stored_sha256, encrypted)
SELECT id, 'public.algorithm_audit_trail', place, 'runs/' || id || '/1/' || place, 1000, 'd', 1000000, '', 300000, '', true
FROM backups_run, generate_series(1000, 1005) place;
INSERT INTO backups_proof SELECT made.* FROM (SELECT * FROM backups_proof ORDER BY id LIMIT 1) base, backups_run run
CROSS JOIN LATERAL jsonb_populate_record(NULL::backups_proof, to_jsonb(base) || jsonb_build_object(
    'id', nextval(pg_get_serial_sequence('backups_proof', 'id')), 'run_id', run.id, 'operation_id', run.operation_id)) made
WHERE run.id LIKE '00%%' AND length(run.id) = 26;

INSERT INTO deployments_webhookdelivery (delivery_id, event_type, event_id, service_render_id, received_at, status, attempts, error)
SELECT 'msg-' || n, 'deploy_ended', 'evt-' || n, 'srv-' || mod(n, 50), now() - n * interval '9 minutes', 'processed', 1, ''
FROM generate_series(1, %(deliveries)s) n;
INSERT INTO deployments_healthcheck (service_id, checked_at, healthy, verdict, body_status, version, latency_ms, detail)
SELECT id, now() - n * interval '4 minutes', true, 'good', 'healthy', '', 40 + mod(n, 60), ''
FROM deployments_service, generate_series(1, %(checks)s) n;
SET session_replication_role = DEFAULT;
