WITH ends AS (
    SELECT experiment_id, count(*) AS rows, min(sequence_number) AS first, max(sequence_number) AS last
    FROM {table} GROUP BY experiment_id
)
SELECT e.experiment_id::text, e.rows, e.first, e.last,
       (SELECT t.decision_hash FROM {table} t
        WHERE t.experiment_id = e.experiment_id AND t.sequence_number = e.last LIMIT 1)
FROM ends e ORDER BY 1
