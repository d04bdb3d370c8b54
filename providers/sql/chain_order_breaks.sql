-- One row that does not follow the row before.
SELECT FROM (
    SELECT sequence_number, previous_hash, lag(decision_hash) OVER chain AS linked_hash,
           lag(sequence_number) OVER chain AS linked_sequence
    FROM ONLY {table} WINDOW chain AS (PARTITION BY experiment_id ORDER BY sequence_number)
) rows
WHERE previous_hash IS DISTINCT FROM linked_hash OR sequence_number <> coalesce(linked_sequence, 0) + 1 LIMIT 1
