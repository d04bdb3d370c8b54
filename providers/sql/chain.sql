-- Every row that breaks its chain: what it was computed from, its neighbour, its number.
WITH rows AS (
    SELECT experiment_id, sequence_number, previous_hash, decision_hash,
           lag(decision_hash) OVER chain AS linked_hash, lag(sequence_number) OVER chain AS linked_sequence,
           {computed} AS computed_hash
    FROM ONLY {table}
    WINDOW chain AS (PARTITION BY experiment_id ORDER BY sequence_number)
), judged AS (
    SELECT experiment_id, sequence_number,
           CASE WHEN decision_hash IS DISTINCT FROM computed_hash THEN 'hash'
                WHEN previous_hash IS DISTINCT FROM linked_hash THEN 'link'
                WHEN sequence_number <> coalesce(linked_sequence, 0) + 1 THEN 'sequence' END AS problem
    FROM rows
)
SELECT experiment_id::text, sequence_number, problem, count(*) OVER (),
       (sum(hashtextextended(concat_ws('/', experiment_id, sequence_number, problem), 0)::numeric) OVER ())::text
FROM judged WHERE problem IS NOT NULL
ORDER BY 1, 2 LIMIT {limit}
