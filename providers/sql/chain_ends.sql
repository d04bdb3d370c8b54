-- What stands now where an earlier run's chains ended: how many rows up to there, and the hash at that place.
WITH before AS (
    SELECT * FROM unnest(%s::text[], %s::bigint[]) AS b(chain, last)
)
SELECT b.chain, b.last, count(t.sequence_number),
       coalesce(max(t.decision_hash) FILTER (WHERE t.sequence_number = b.last), '')
FROM before b LEFT JOIN {table} t ON t.experiment_id::text = b.chain AND t.sequence_number <= b.last
GROUP BY 1, 2 ORDER BY 1
