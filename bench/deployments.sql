-- Deployments of the services that exist, a minute apart, mostly superseded; a thirtieth failed to build.
INSERT INTO deployments_deployment (service_id, render_id, status, provider_status, trigger, commit_sha, commit_message, image,
    created_at, started_at, finished_at, actor, actor_source, health, first_seen_at, seeded)
SELECT service.id, 'dep-' || n, status, status, 'new_commit', md5(n::text) || '00000000', 'Change number ' || n, '',
    at, at, at + interval '150 seconds', 'operator' || mod(n, 9), (ARRAY['operation', 'event', 'outside'])[1 + mod(n, 3)],
    CASE WHEN mod(n, 40) = 0 THEN 'unhealthy' WHEN mod(n, 5) = 0 THEN 'healthy' ELSE '' END, now(), false
FROM generate_series(1, %(rows)s) n
CROSS JOIN LATERAL (SELECT now() - n * interval '1 minute' AS at, CASE
    WHEN n <= 50 THEN 'live' WHEN mod(n, 30) = 0 THEN 'build_failed' WHEN mod(n, 77) = 0 THEN 'canceled' ELSE 'deactivated' END AS status) row
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS many FROM deployments_service) service
    ON service.place = mod(n, service.many);
