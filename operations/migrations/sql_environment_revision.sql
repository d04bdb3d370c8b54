CREATE FUNCTION operations_environment_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.revision < OLD.revision
     OR NEW.revision = OLD.revision
        AND (NEW.protected, NEW.supabase_ref, NEW.export_dsn_env, NEW.migration_dsn_env, NEW.restore_dsn_env,
             NEW.votes_routine, NEW.votes_sensitive, NEW.votes_destructive)
            IS DISTINCT FROM
            (OLD.protected, OLD.supabase_ref, OLD.export_dsn_env, OLD.migration_dsn_env, OLD.restore_dsn_env,
             OLD.votes_routine, OLD.votes_sensitive, OLD.votes_destructive) THEN
    RAISE EXCEPTION 'what environment % asks for is changed by environments.change', OLD.slug
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER operations_environment_revision BEFORE UPDATE ON operations_environment
  FOR EACH ROW EXECUTE FUNCTION operations_environment_revision();
