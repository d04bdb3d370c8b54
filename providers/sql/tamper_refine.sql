-- A row that is gone: with its whole chain, behind the chain's present end, or from its middle.
WITH ends AS (SELECT experiment_id::text AS chain, max(sequence_number) AS last FROM {now} GROUP BY 1)
UPDATE {found} f SET kind = CASE WHEN e.last IS NULL THEN 'chain_removed'
                                 WHEN f.sequence > e.last THEN 'tail_cut' ELSE 'rows_removed' END
FROM (SELECT DISTINCT g.chain, ends.last FROM {found} g LEFT JOIN ends USING (chain) WHERE g.kind = 'gone') e
WHERE f.kind = 'gone' AND f.chain = e.chain
