-- How many chains and rows the product's check looked at, and how many it does not call valid.
SELECT count(DISTINCT e.id), count(*), count(*) FILTER (WHERE NOT coalesce((to_jsonb(v) ->> 'is_valid')::boolean,
       CASE jsonb_typeof(to_jsonb(v)) WHEN 'boolean' THEN to_jsonb(v)::text::boolean END, true))
FROM (SELECT DISTINCT experiment_id AS id FROM {table}) e, LATERAL {function}(e.id) v
