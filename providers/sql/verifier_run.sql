-- How many chains and rows the product's check looked at, and how many it does not call valid.
SELECT count(*), coalesce(sum(rows), 0)::bigint, coalesce(sum(invalid), 0)::bigint
FROM (SELECT nullif(chain, 'None')::uuid AS id FROM unnest(%s::text[]) chain OFFSET 0) e, LATERAL (
    SELECT count(*) AS rows, count(*) FILTER (WHERE NOT coalesce({valid}, true)) AS invalid FROM {function}(e.id) v
) checked
WHERE rows > 0
