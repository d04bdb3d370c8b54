-- A drill asks before it has built the index: the rows are read twice at most, not once for each chain.
WITH ends AS (
    SELECT experiment_id, count(*) AS rows, min(sequence_number) AS first, max(sequence_number) AS last
    FROM ONLY {table} GROUP BY experiment_id
)
SELECT e.experiment_id::text, e.rows, e.first, e.last, (array_agg(t.decision_hash))[1]
FROM ends e LEFT JOIN ONLY {table} t ON t.experiment_id = e.experiment_id AND t.sequence_number = e.last
GROUP BY e.experiment_id, e.rows, e.first, e.last ORDER BY 1
