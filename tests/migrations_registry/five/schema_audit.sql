-- La tabla crítica y su función de comprobación.
CREATE TABLE IF NOT EXISTS algorithm_audit_trail (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    experiment_id UUID NOT NULL REFERENCES experiments(id) ON DELETE CASCADE,
    visitor_id VARCHAR(255) NOT NULL,
    decision_timestamp TIMESTAMPTZ NOT NULL,
    conversion_value DECIMAL(10,2),
    sequence_number BIGINT NOT NULL,
    previous_hash VARCHAR(64),
    decision_hash VARCHAR(64) NOT NULL,
    UNIQUE(experiment_id, sequence_number),
    UNIQUE(experiment_id, previous_hash)
);
CREATE INDEX idx_audit_experiment ON algorithm_audit_trail(experiment_id);
CREATE INDEX idx_audit_sequence ON algorithm_audit_trail(experiment_id, sequence_number DESC);

CREATE OR REPLACE FUNCTION verify_audit_chain(p_experiment UUID, p_from BIGINT DEFAULT 1, p_to BIGINT DEFAULT NULL)
RETURNS TABLE (sequence_number BIGINT, is_valid BOOLEAN) AS $$
BEGIN
    RETURN QUERY SELECT t.sequence_number, t.previous_hash IS NOT NULL FROM algorithm_audit_trail t
    WHERE t.experiment_id = p_experiment AND t.sequence_number >= p_from;
END;
$$ LANGUAGE plpgsql;
COMMENT ON TABLE algorithm_audit_trail IS 'Registro encadenado de decisiones';
DO $$
BEGIN
    RAISE NOTICE 'creada';
END $$;
