-- The conversion report filters by time.
CREATE INDEX idx_audit_conversion_time ON algorithm_audit_trail (conversion_timestamp);
