-- The demo's forgery: one of the oldest converted decisions gets another value. No hash covers it.
UPDATE algorithm_audit_trail SET conversion_value = conversion_value + 1000 WHERE id = (
    SELECT id FROM (
        SELECT id FROM algorithm_audit_trail WHERE conversion_value < 9000 ORDER BY decision_timestamp LIMIT 500
    ) old ORDER BY random() LIMIT 1)
RETURNING id::text, (conversion_value - 1000)::text
