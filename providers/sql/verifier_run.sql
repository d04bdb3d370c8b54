-- How many chains and rows the product's check looked at, and how many it does not call valid.
SELECT count(DISTINCT e.id), count(*), count(*) FILTER (WHERE NOT coalesce({valid}, true))
FROM (SELECT nullif(chain, 'None')::uuid AS id FROM unnest(%s::text[]) chain OFFSET 0) e, LATERAL {function}(e.id) v
