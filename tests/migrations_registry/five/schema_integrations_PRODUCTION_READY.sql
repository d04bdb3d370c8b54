-- Integraciones; requiere la fase 1.
CREATE TABLE IF NOT EXISTS oauth_states (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    user_id UUID NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    state_token VARCHAR(255) UNIQUE NOT NULL,
    platform VARCHAR(50) NOT NULL,
    created_at TIMESTAMPTZ DEFAULT NOW(),
    CONSTRAINT valid_platform CHECK (platform IN ('wordpress', 'shopify'))
);
CREATE INDEX idx_oauth_states_token ON oauth_states(state_token);

CREATE TABLE IF NOT EXISTS integration_events (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    installation_id UUID REFERENCES platform_installations(id) ON DELETE CASCADE,
    severity VARCHAR(10) DEFAULT 'info',
    metadata JSONB DEFAULT '{}',
    created_at TIMESTAMPTZ DEFAULT NOW(),
    updated_at TIMESTAMPTZ DEFAULT NOW(),
    CONSTRAINT valid_severity CHECK (severity IN ('info', 'error', 'critical'))
);
CREATE INDEX idx_events_debug ON integration_events(installation_id, severity, created_at DESC)
    WHERE severity IN ('error', 'critical');

CREATE OR REPLACE FUNCTION log_event(p_installation UUID, p_severity VARCHAR DEFAULT 'info', p_data JSONB DEFAULT '{}')
RETURNS UUID AS $$
DECLARE
    v_id UUID;
BEGIN
    INSERT INTO integration_events (installation_id, severity, metadata)
    VALUES (p_installation, p_severity, p_data) RETURNING id INTO v_id;
    RETURN v_id;
END;
$$ LANGUAGE plpgsql;
COMMENT ON FUNCTION log_event IS 'Anota un evento con su gravedad';

CREATE OR REPLACE VIEW v_integration_health AS
SELECT pi.id, CASE WHEN e.errors > 5 THEN 50 ELSE 100 END AS score
FROM platform_installations pi
LEFT JOIN (SELECT installation_id, COUNT(*) AS errors FROM integration_events
           WHERE created_at > NOW() - INTERVAL '24 hours' GROUP BY installation_id) e ON pi.id = e.installation_id;

CREATE TRIGGER update_events_updated_at BEFORE UPDATE ON integration_events
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
ALTER TABLE oauth_states ENABLE ROW LEVEL SECURITY;
ALTER TABLE integration_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY oauth_own ON oauth_states FOR ALL USING (auth.uid()::uuid = user_id);
CREATE POLICY events_own ON integration_events FOR SELECT USING (
    installation_id IN (SELECT id FROM platform_installations WHERE user_id = auth.uid()::uuid));
