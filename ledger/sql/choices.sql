-- The distinct values of one column by hopping along its index ("loose index scan"), so 1,000,000 rows cost a few probes.
WITH RECURSIVE seen AS (
    (SELECT {column} AS value FROM ledger_entry ORDER BY {column} LIMIT 1)
    UNION ALL
    SELECT (SELECT {column} FROM ledger_entry WHERE {column} > seen.value ORDER BY {column} LIMIT 1)
    FROM seen WHERE seen.value IS NOT NULL
)
SELECT value FROM seen WHERE value <> '' LIMIT 300
