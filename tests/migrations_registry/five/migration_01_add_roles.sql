-- Migración: papel de cada cuenta
ALTER TABLE users
ADD COLUMN IF NOT EXISTS role VARCHAR(20) DEFAULT 'client';

ALTER TABLE users
ADD CONSTRAINT valid_role CHECK (role IN ('client', 'admin', 'editor'));

CREATE INDEX IF NOT EXISTS idx_users_role ON users(role);
