-- The conversions that an earlier run had, as they are now: the same digest as chain_facts, over its rows only.
WITH before AS (
    SELECT * FROM unnest(%s::text[], %s::text[], %s::int8multirange[]) AS b(chain, month, places)
), rows AS (
    SELECT b.chain, b.month, t.sequence_number::bigint AS sequence, {conversion} AS conversion
    FROM before b LEFT JOIN {table} t ON t.experiment_id::text = b.chain AND t.sequence_number::bigint <@ b.places
), blocks AS (
    SELECT chain, month, sequence / 100000 AS block, count(sequence) AS rows,
           encode(sha256(convert_to(string_agg(sequence || ':' || conversion, E'\n' ORDER BY sequence), 'UTF8')),
                  'hex') AS converted
    FROM rows GROUP BY 1, 2, 3
)
SELECT chain, month, sum(rows)::bigint,
       encode(sha256(convert_to(coalesce(string_agg(converted, E'\n' ORDER BY block) FILTER (WHERE rows > 0), ''),
                                'UTF8')), 'hex')
FROM blocks GROUP BY 1, 2 ORDER BY 1, 2
