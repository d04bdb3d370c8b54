-- Fase 1: cuentas, experimentos y lo que ven los visitantes. Escrito de nuevo a partir de los hechos, ✓ no idempotente.
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE EXTENSION IF NOT EXISTS "pgcrypto";

CREATE TABLE users (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    email VARCHAR(255) UNIQUE NOT NULL,
    name VARCHAR(255) NOT NULL,
    created_at TIMESTAMPTZ DEFAULT NOW(),
    updated_at TIMESTAMPTZ DEFAULT NOW()
);
-- Índices de cuentas
CREATE INDEX idx_users_email ON users(email);
CREATE INDEX idx_users_created ON users(created_at DESC);

CREATE TABLE experiments (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    user_id UUID NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    status VARCHAR(20) DEFAULT 'draft',
    url VARCHAR(500),
    traffic DECIMAL(3,2) DEFAULT 1.0,
    config JSONB DEFAULT '{}',
    updated_at TIMESTAMPTZ DEFAULT NOW(),
    CONSTRAINT valid_status CHECK (status IN ('draft', 'active', 'completed')),
    CONSTRAINT valid_traffic CHECK (traffic > 0 AND traffic <= 1.0)
);
CREATE INDEX idx_experiments_lookup ON experiments(user_id, status, url) WHERE status = 'active';

CREATE TABLE element_variants (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    experiment_id UUID NOT NULL REFERENCES experiments(id) ON DELETE CASCADE,
    variant_order INTEGER NOT NULL DEFAULT 0,
    content JSONB NOT NULL,
    algorithm_state BYTEA,
    total_allocations INTEGER DEFAULT 0,
    is_active BOOLEAN DEFAULT TRUE,
    UNIQUE(experiment_id, variant_order),
    CONSTRAINT positive_allocations CHECK (total_allocations >= 0)
);
CREATE INDEX idx_variants_active ON element_variants(experiment_id, is_active) WHERE is_active = TRUE;
-- Vista de compatibilidad
CREATE VIEW variants AS
SELECT ev.id, ev.content, ev.total_allocations AS seen, e.user_id
FROM element_variants ev JOIN experiments e ON ev.experiment_id = e.id;

CREATE TABLE platform_installations (
    id UUID PRIMARY KEY DEFAULT uuid_generate_v4(),
    user_id UUID NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    platform VARCHAR(50) NOT NULL,
    status VARCHAR(20) DEFAULT 'pending',
    metadata JSONB DEFAULT '{}',
    updated_at TIMESTAMPTZ DEFAULT NOW(),
    CONSTRAINT valid_platform CHECK (platform IN ('manual', 'wordpress', 'shopify')),
    CONSTRAINT valid_status CHECK (status IN ('pending', 'active', 'error'))
);
CREATE INDEX idx_installations_metadata ON platform_installations USING gin(metadata);

CREATE OR REPLACE FUNCTION update_updated_at_column()
RETURNS TRIGGER AS $$
BEGIN
    NEW.updated_at = NOW();
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER update_users_updated_at BEFORE UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE TRIGGER update_experiments_updated_at BEFORE UPDATE ON experiments
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE experiments ENABLE ROW LEVEL SECURITY;
-- Políticas: cada cual ve lo suyo
CREATE POLICY users_self ON users FOR ALL USING (auth.uid()::uuid = id);
CREATE POLICY experiments_own ON experiments FOR ALL USING (auth.uid()::uuid = user_id);

CREATE OR REPLACE FUNCTION experiment_stats(exp_id UUID)
RETURNS TABLE (total BIGINT, rate DECIMAL) AS $$
BEGIN
    RETURN QUERY SELECT COALESCE(SUM(ev.total_allocations), 0), 0::DECIMAL
    FROM element_variants ev WHERE ev.experiment_id = exp_id;
END;
$$ LANGUAGE plpgsql;

COMMENT ON TABLE users IS 'Cuentas de la plataforma';
COMMENT ON COLUMN element_variants.algorithm_state IS '🔒 cifrado, nunca en la API';
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_indexes WHERE indexname = 'idx_variants_active') THEN
        RAISE EXCEPTION 'falta el índice crítico';
    END IF;
END $$;
