UPDATE operations_operation SET begun = 'older' WHERE status = 'running';

CREATE FUNCTION operations_operation_begun() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'an operation is begun by a worker' USING ERRCODE = 'check_violation';
END
$$;

CREATE TRIGGER operations_operation_begun_new BEFORE INSERT ON operations_operation
  FOR EACH ROW WHEN (NEW.begun <> '') EXECUTE FUNCTION operations_operation_begun();

CREATE TRIGGER operations_operation_begun_older BEFORE UPDATE ON operations_operation
  FOR EACH ROW WHEN (NEW.begun = 'older' AND OLD.begun <> 'older') EXECUTE FUNCTION operations_operation_begun();
