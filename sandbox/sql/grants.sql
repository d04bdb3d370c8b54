-- Who may do what. pg_read_all_data covers later tables too; BYPASSRLS is an attribute of the role itself.
GRANT USAGE ON SCHEMA public TO sampelit_app, sampelit_export_limited, anon, authenticated, service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO sampelit_app, service_role;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO sampelit_export_limited;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO authenticated;
ALTER DEFAULT PRIVILEGES FOR ROLE sampelit_owner, sampelit_migration IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO sampelit_app, service_role;
ALTER DEFAULT PRIVILEGES FOR ROLE sampelit_owner, sampelit_migration IN SCHEMA public
  GRANT SELECT ON TABLES TO sampelit_export_limited;
