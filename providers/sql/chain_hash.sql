-- decision_hash = sha256 of json.dumps({{...}}, sort_keys=True) as Python writes it: separators ", " and ": ", every
-- character outside printable ASCII as \uXXXX (lower-case hex, surrogate pairs above U+FFFF, U+007F too), timestamp
-- as isoformat() in UTC without microseconds when they are zero. Plain values take the first CASE branch.
encode(sha256(convert_to(
    '{{"previous_hash": "' || coalesce(previous_hash, '')
    || '", "segment_key": ' || {segment_key}
    || ', "sequence_number": ' || sequence_number
    || ', "timestamp": "'
    || replace(to_char(decision_timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '.000000', '')
    || '+00:00", "variant_id": ' || coalesce('"' || selected_variant_id || '"', 'null')
    || ', "visitor_id": ' || {visitor_id} || '}}', 'UTF8')), 'hex')
