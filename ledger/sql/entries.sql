-- Every entry in order with the head row beside it: one statement, so one snapshot.
SELECT e.sequence, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), e.actor, e.code, e.environment,
       e.subject, e.channel, e.os_user, e.host, e.data, e.seeded, e.previous_sha256, e.sha256, h.sequence, h.sha256
FROM ledger_entry e LEFT JOIN ledger_head h ON h.id = 1
ORDER BY e.sequence
