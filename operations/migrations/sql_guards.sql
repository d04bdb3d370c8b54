ALTER TABLE operations_approval
  ADD CONSTRAINT approval_votes_on_what_was_asked
  FOREIGN KEY (operation_id, requested_by_id, content_sha256)
  REFERENCES operations_operation (id, requested_by_id, content_sha256);

CREATE FUNCTION operations_operation_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  votes integer;
BEGIN
  IF (NEW.id, NEW.kind, NEW.environment_id, NEW.parameters, NEW.content_sha256, NEW.risk, NEW.approvals_required,
      NEW.requested_by_id, NEW.requested_at)
     IS DISTINCT FROM
     (OLD.id, OLD.kind, OLD.environment_id, OLD.parameters, OLD.content_sha256, OLD.risk, OLD.approvals_required,
      OLD.requested_by_id, OLD.requested_at) THEN
    RAISE EXCEPTION 'what an operation asks never changes; request a new one' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.status IN ('succeeded', 'failed', 'cancelled', 'rejected', 'expired') AND NEW.status <> OLD.status THEN
    RAISE EXCEPTION 'operation % has ended as %', OLD.id, OLD.status USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.status = 'running' AND OLD.status <> 'running' THEN
    SELECT count(*) INTO votes FROM operations_approval
     WHERE operation_id = NEW.id AND decision = 'approve' AND revoked_at IS NULL;
    IF votes < NEW.approvals_required
       AND NOT COALESCE(NEW.break_glass_by_id IS NOT NULL
                        AND clock_timestamp() BETWEEN NEW.break_glass_from AND NEW.break_glass_until, false) THEN
      RAISE EXCEPTION 'operation % has % of % votes', NEW.id, votes, NEW.approvals_required
        USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER operations_operation_guard BEFORE UPDATE ON operations_operation
  FOR EACH ROW EXECUTE FUNCTION operations_operation_guard();

CREATE FUNCTION operations_operation_born() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status NOT IN ('awaiting_approval', 'queued') AND NOT NEW.seeded THEN
    RAISE EXCEPTION 'an operation begins awaiting approval or queued' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER operations_operation_born BEFORE INSERT ON operations_operation
  FOR EACH ROW EXECUTE FUNCTION operations_operation_born();
