-- Assignments that no audit row tells of, newest first. The product writes both in two transactions: young ones wait.
SELECT a.id::text, a.experiment_id::text, a.user_id::text, a.assigned_at::text, count(*) OVER (),
       (sum(hashtextextended(a.id::text, 0)::numeric) OVER ())::text
FROM {assignments} a
WHERE a.assigned_at < %s::timestamptz - %s::interval
  AND NOT EXISTS (SELECT FROM {audit} t WHERE t.assignment_id = a.id)
  AND NOT EXISTS (SELECT FROM {audit} t WHERE t.experiment_id = a.experiment_id AND t.visitor_id = a.user_id)
ORDER BY a.assigned_at DESC, a.id LIMIT %s
