-- Everything that the frame of a page and the operations' cards show, in one round trip. %(user)s is the person's id,
-- %(votes_on)s the environments where they vote (NULL: everywhere).
WITH waiting AS (
  SELECT o.risk, o.expires_at,
         o.requested_by_id <> %(user)s
         AND (%(votes_on)s::bigint[] IS NULL OR o.environment_id = ANY (%(votes_on)s)) AND NOT EXISTS (
           SELECT 1 FROM operations_approval a
            WHERE a.operation_id = o.id AND a.approved_by_id = %(user)s AND a.revoked_at IS NULL) AS votable
    FROM operations_operation o WHERE o.status = 'awaiting_approval')
SELECT
  (SELECT coalesce(max(nullif(time_zone, '')), 'UTC') FROM sampelit_ops_preference WHERE user_id = %(user)s) AS zone,
  (SELECT count(*) FROM waiting) AS waiting,
  (SELECT count(*) FROM waiting WHERE votable) AS votable,
  (SELECT count(*) FROM waiting WHERE risk = 'destructive') AS destructive,
  (SELECT min(expires_at) FROM waiting) AS expires_at,
  (SELECT count(*) FROM operations_task WHERE closed_at IS NULL) AS open_tasks,
  (SELECT count(*) FROM operations_operation o
    WHERE o.status = 'failed' AND o.requested_at > now() - interval '7 days' AND o.ended_at > now() - interval '3 days'
      AND NOT EXISTS (SELECT 1 FROM operations_operation r WHERE r.retry_of_id = o.id)
      AND NOT EXISTS ( -- somebody has looked, by name
            SELECT 1 FROM operations_task t WHERE t.dedupe_key = 'seen:' || o.id AND t.closed_at IS NOT NULL)
      AND NOT EXISTS ( -- mended: the same was asked again and came to a good end
            SELECT 1 FROM operations_operation later
             WHERE later.kind = o.kind AND later.environment_id = o.environment_id AND later.subject = o.subject
               AND later.status = 'succeeded' AND later.requested_at > o.requested_at)
      AND NOT (o.error ILIKE '%%nothing was changed%%' AND NOT EXISTS ( -- refused before anything was done
            SELECT 1 FROM operations_step s
             WHERE s.operation_id = o.id AND s.position > 0 AND NOT s.always AND s.started_at IS NOT NULL))) AS failed,
  (SELECT count(*) FROM operations_operation o -- as /readyz counts: whoever waits for a healthy holder waits rightly
    WHERE status IN ('queued', 'running') AND (lease_until IS NULL OR lease_until < now() - interval '1 minute')
      AND COALESCE(due_at, GREATEST(requested_at, lease_until, (SELECT max(ended_at) FROM operations_step s
            WHERE s.operation_id = o.id))) < now() - interval '5 minutes'
      AND NOT (status = 'queued' AND exclusive_key <> '' AND EXISTS (
            SELECT 1 FROM operations_operation holder
             WHERE holder.status = 'running' AND holder.exclusive_key = o.exclusive_key
               AND (holder.lease_until IS NULL OR holder.lease_until > now())))) AS late,
  (SELECT coalesce(json_agg(substr(name, 24) ORDER BY name), '[]') FROM operations_heartbeat
    WHERE name LIKE 'alarm:provider\_backups:%%' AND (detail ->> 'bad')::boolean) AS unbacked,
  (SELECT beat_at FROM operations_heartbeat WHERE name = 'ledger.verified') AS ledger_at,
  (SELECT (detail ->> 'valid')::boolean FROM operations_heartbeat WHERE name = 'ledger.verified') AS ledger_valid,
  (SELECT beat_at FROM operations_heartbeat WHERE name = 'doctor') AS doctor_at,
  (SELECT coalesce(detail -> 'checks', '[]')::json FROM operations_heartbeat WHERE name = 'doctor') AS doctor_checks,
  (SELECT coalesce(json_agg(json_build_object('pk', id, 'slug', slug, 'kind', kind) ORDER BY protected DESC, slug), '[]')
     FROM operations_environment) AS environments
