-- One row whose content does not give its hash: no order is needed, so processes share the rows.
SELECT FROM ONLY {table} WHERE decision_hash IS DISTINCT FROM {computed} LIMIT 1
