-- Chains of an earlier run that are not the beginning of today's: rows gone, or another hash at the earlier end.
WITH before AS (
    SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::text[]) AS b(chain, rows, last, head)
), now AS (
    SELECT b.chain, count(*) AS rows, max(t.decision_hash) FILTER (WHERE t.sequence_number = b.last) AS head
    FROM {table} t JOIN before b ON b.chain = t.experiment_id::text AND t.sequence_number <= b.last
    GROUP BY b.chain
)
SELECT b.chain, b.rows, coalesce(n.rows, 0), n.head IS NOT DISTINCT FROM b.head
FROM before b LEFT JOIN now n USING (chain)
WHERE n.rows IS DISTINCT FROM b.rows OR n.head IS DISTINCT FROM b.head ORDER BY 1
