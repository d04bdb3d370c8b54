-- Nobody reads the context hash since v2.4.
ALTER TABLE algorithm_audit_trail DROP COLUMN context_hash;
COMMENT ON TABLE algorithm_audit_trail IS 'Every decision of the algorithm, one chain per experiment';
