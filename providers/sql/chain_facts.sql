-- Per chain and calendar month (UTC): what an auditor compares from run to run. Lines "<sequence>:<decision_hash>" are
-- hashed in blocks of 100,000 sequence numbers, the blocks' digests once more, so that no value grows beyond 1 GB.
WITH rows AS (
    SELECT t.experiment_id, t.sequence_number::bigint AS sequence, t.decision_hash,
           CASE WHEN t.decision_timestamp >= '0001-01-02 00:00:00+00' AND t.decision_timestamp < 'infinity'
                THEN date_trunc('month', t.decision_timestamp AT TIME ZONE 'UTC') END AS month,
           {converted} AS converted, CASE WHEN {converted} THEN {conversion} END AS conversion
    FROM ONLY {table} t
), blocks AS (
    SELECT experiment_id, month, sequence / 100000 AS block, count(*) AS rows, min(sequence) AS first,
           max(sequence) AS last,
           encode(sha256(convert_to(string_agg(sequence || ':' || coalesce(decision_hash, ''), E'\n'
                                               ORDER BY sequence), 'UTF8')), 'hex') AS decisions,
           count(*) FILTER (WHERE converted) AS conversions,
           encode(sha256(convert_to(coalesce(string_agg(sequence || ':' || conversion, E'\n' ORDER BY sequence)
                                             FILTER (WHERE converted), ''), 'UTF8')), 'hex') AS converted,
           range_agg(int8range(sequence, sequence, '[]')) FILTER (WHERE converted) AS places
    FROM rows GROUP BY 1, 2, 3
), months AS (
    SELECT experiment_id, coalesce(to_char(month, 'YYYY-MM'), 'unknown') AS month, sum(rows)::bigint AS rows,
           min(first) AS first, max(last) AS last,
           encode(sha256(convert_to(string_agg(decisions, E'\n' ORDER BY block), 'UTF8')), 'hex') AS decisions_sha256,
           sum(conversions)::bigint AS conversions,
           encode(sha256(convert_to(coalesce(string_agg(converted, E'\n' ORDER BY block)
                                             FILTER (WHERE conversions > 0), ''), 'UTF8')), 'hex') AS conversions_sha256,
           CASE WHEN sum(conversions) <= {most} THEN coalesce(range_agg(places)::text, '{{}}') END AS places
    FROM blocks GROUP BY 1, blocks.month
)
SELECT m.experiment_id::text, m.month, m.rows, m.first, m.last, coalesce(h.decision_hash, ''), m.decisions_sha256,
       m.conversions, m.conversions_sha256, m.places
FROM months m LEFT JOIN ONLY {table} h ON h.experiment_id = m.experiment_id AND h.sequence_number = m.last
ORDER BY 1, 2
