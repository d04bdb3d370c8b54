-- Rows of the earlier run that today's table lacks or shows differently. The earlier table holds only the segments that
-- are not byte for byte in today's run. A conversion is set once: from all three unset to anything, and never again.
CREATE TABLE {found} AS
SELECT v.kind, {key_b} AS key, b.experiment_id::text AS chain, b.sequence_number::bigint AS sequence,
       hashtextextended(v.kind || {key_b} || CASE v.kind
           WHEN 'gone' THEN ROW({fixed_b})::text
           WHEN 'edited' THEN ROW({fixed_b})::text || ROW({fixed_n})::text
           ELSE ROW({conversion_b})::text || ROW({conversion_n})::text END, 0) AS mark
FROM {before} b LEFT JOIN {now} n ON {same_key}
CROSS JOIN LATERAL (VALUES
    ('gone', n.ctid IS NULL),
    ('edited', n.ctid IS NOT NULL AND ROW({fixed_b}) IS DISTINCT FROM ROW({fixed_n})),
    ('conversion', n.ctid IS NOT NULL AND {was_set} AND ROW({conversion_b}) IS DISTINCT FROM ROW({conversion_n}))
) AS v(kind, holds)
WHERE v.holds
