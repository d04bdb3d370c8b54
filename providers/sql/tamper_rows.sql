-- One kind of finding with its rows before and after; of a row that is gone, what lies at its place in the chain now.
SELECT f.key, f.chain, f.sequence, jsonb_object({names}, {before_values}),
       CASE WHEN n.ctid IS NOT NULL THEN jsonb_object({names}, {now_values})
            WHEN p.ctid IS NOT NULL THEN jsonb_object({names}, {place_values}) END
FROM (SELECT * FROM {found} WHERE kind = %s ORDER BY chain, sequence LIMIT %s) f
JOIN {before} b ON {key_b} = f.key
LEFT JOIN {now} n ON {same_key}
LEFT JOIN {now} p ON {same_place}
ORDER BY f.chain, f.sequence
