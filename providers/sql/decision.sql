-- One decision as a run holds it: its hash as stored and as recomputed, a digest of all that never changes, its
-- conversion. The table may lack columns that a later version of the product added.
SELECT r ->> 'decision_hash', r ->> 'previous_hash',
       encode(sha256(convert_to((r - ARRAY['conversion_observed', 'conversion_timestamp', 'conversion_value'])::text,
                                'UTF8')), 'hex'),
       r ->> 'conversion_observed', r ->> 'conversion_timestamp', r ->> 'conversion_value',
       r ->> 'visitor_id', r ->> 'selected_variant_id', r ->> 'segment_key', r ->> 'decision_timestamp'
FROM (SELECT to_jsonb(t) AS r FROM {table} t WHERE t.experiment_id::text = %s AND t.sequence_number::bigint = %s) AS found
LIMIT 1
