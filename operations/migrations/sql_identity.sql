CREATE FUNCTION operations_environment_variables(place operations_environment) RETURNS text[]
LANGUAGE sql STABLE AS $$
  SELECT array_agg(upper(COALESCE(NULLIF(typed, ''),
                                  'SAMPELIT_' || replace(place.slug, '-', '_') || '_' || purpose || '_DSN')))
  FROM (VALUES (place.export_dsn_env, 'EXPORT'), (place.migration_dsn_env, 'MIGRATION'),
               (place.restore_dsn_env, 'RESTORE')) AS named (typed, purpose)
$$;

CREATE FUNCTION operations_environment_variables_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  taken text;
BEGIN
  IF NEW.kind <> 'portal' AND 'DATABASE_URL' = ANY (operations_environment_variables(NEW)) THEN
    RAISE EXCEPTION 'DATABASE_URL is the portal''s own database and no environment of the product'
      USING ERRCODE = 'check_violation';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('operations_environment'));
  SELECT other.slug INTO taken FROM operations_environment other
   WHERE other.id <> NEW.id AND operations_environment_variables(other) && operations_environment_variables(NEW);
  IF FOUND THEN
    RAISE EXCEPTION 'a variable of environment % is one of % already', NEW.slug, taken
      USING ERRCODE = 'unique_violation';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER operations_environment_variables_new BEFORE INSERT ON operations_environment
  FOR EACH ROW EXECUTE FUNCTION operations_environment_variables_guard();

CREATE TRIGGER operations_environment_variables_changed BEFORE UPDATE ON operations_environment
  FOR EACH ROW WHEN ((OLD.slug, OLD.kind, OLD.export_dsn_env, OLD.migration_dsn_env, OLD.restore_dsn_env)
                     IS DISTINCT FROM
                     (NEW.slug, NEW.kind, NEW.export_dsn_env, NEW.migration_dsn_env, NEW.restore_dsn_env))
  EXECUTE FUNCTION operations_environment_variables_guard();

CREATE FUNCTION operations_environment_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.kind, NEW.slug) IS DISTINCT FROM (OLD.kind, OLD.slug) THEN
    RAISE EXCEPTION 'slug and kind of an environment never change; add another one' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.database_oid IS NOT NULL
     AND (NEW.system_identifier, NEW.database_oid, NEW.database_name)
         IS DISTINCT FROM (OLD.system_identifier, OLD.database_oid, OLD.database_name)
     AND NOT (OLD.system_identifier = ''
              AND (NEW.database_oid, NEW.database_name) = (OLD.database_oid, OLD.database_name))
     AND NOT EXISTS (SELECT FROM operations_operation
                      WHERE environment_id = OLD.id AND status = 'running'
                        AND kind IN ('environments.rebind', 'backups.provider_restore', 'backups.provider_pitr')) THEN
    RAISE EXCEPTION 'environment % is %; only an operation moves it to another database', OLD.slug, OLD.database_name
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER operations_environment_guard BEFORE UPDATE ON operations_environment
  FOR EACH ROW EXECUTE FUNCTION operations_environment_guard();

CREATE FUNCTION operations_environment_born() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'which database an environment is shows at its first connection' USING ERRCODE = 'check_violation';
END
$$;

CREATE TRIGGER operations_environment_born BEFORE INSERT ON operations_environment
  FOR EACH ROW WHEN (NEW.database_oid IS NOT NULL) EXECUTE FUNCTION operations_environment_born();

CREATE FUNCTION operations_operation_bound() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'what an operation is bound to never changes; request a new one' USING ERRCODE = 'check_violation';
END
$$;

CREATE TRIGGER operations_operation_bound BEFORE UPDATE ON operations_operation
  FOR EACH ROW WHEN (NEW.bound IS DISTINCT FROM OLD.bound) EXECUTE FUNCTION operations_operation_bound();
