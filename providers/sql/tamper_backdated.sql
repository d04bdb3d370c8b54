-- Rows that the earlier run did not hold though they say they are older than it; a transaction under way then may be young.
WITH late AS (
  SELECT t.experiment_id::text AS chain, t.sequence_number::bigint AS number, t.decision_timestamp::text AS at, t.decision_hash
  FROM {audit} t LEFT JOIN unnest(%s::text[], %s::bigint[]) AS h(chain, last) ON h.chain = t.experiment_id::text
  WHERE t.sequence_number > coalesce(h.last, 0) AND t.decision_timestamp < %s::timestamptz - %s::interval
)
SELECT chain, number, at, count(*) OVER (), (SELECT count(DISTINCT chain) FROM late),
  (sum(hashtextextended(chain || '/' || number || decision_hash, 0)::numeric) OVER ())::text
FROM late ORDER BY 1, 2 LIMIT %s
