DELETE FROM algorithm_audit_trail WHERE decision_timestamp > %(cut)s;
DELETE FROM assignments WHERE assigned_at > %(cut)s;
UPDATE algorithm_audit_trail SET conversion_observed = false, conversion_timestamp = NULL, conversion_value = NULL
WHERE conversion_timestamp > %(cut)s;
UPDATE assignments SET converted_at = NULL, conversion_value = NULL WHERE converted_at > %(cut)s
