-- Roles without their passwords, which nobody may read; their settings are rows of another catalog.
SELECT r.rolname::pg_catalog.text, pg_catalog.to_jsonb(r) - 'rolconfig' FROM pg_catalog.pg_roles r
