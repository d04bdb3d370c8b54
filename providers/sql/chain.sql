-- decision_hash = sha256 of json.dumps({{...}}, sort_keys=True) as Python writes it: separators ", " and ": ", every
-- character outside printable ASCII as \uXXXX (lower-case hex, surrogate pairs above U+FFFF, U+007F too), timestamp
-- as isoformat() in UTC without microseconds when they are zero. Plain values take the first CASE branch.
WITH rows AS (
    SELECT experiment_id, sequence_number, previous_hash, decision_hash,
           lag(decision_hash) OVER chain AS linked_hash, lag(sequence_number) OVER chain AS linked_sequence,
           encode(sha256(convert_to(
               '{{"previous_hash": "' || coalesce(previous_hash, '')
               || '", "segment_key": ' || {segment_key}
               || ', "sequence_number": ' || sequence_number
               || ', "timestamp": "' || to_char(decision_timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
               || CASE WHEN extract(microseconds FROM decision_timestamp)::int % 1000000 = 0 THEN ''
                       ELSE to_char(decision_timestamp AT TIME ZONE 'UTC', '.US') END
               || '+00:00", "variant_id": ' || coalesce('"' || selected_variant_id || '"', 'null')
               || ', "visitor_id": ' || {visitor_id} || '}}', 'UTF8')), 'hex') AS computed_hash
    FROM {table}
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
