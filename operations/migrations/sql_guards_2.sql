CREATE OR REPLACE FUNCTION operations_operation_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  votes integer;
BEGIN
  IF (NEW.id, NEW.kind, NEW.environment_id, NEW.parameters, NEW.content_sha256, NEW.risk, NEW.approvals_required,
      NEW.requested_by_id, NEW.requested_at, NEW.seeded, NEW.exclusive_key)
     IS DISTINCT FROM
     (OLD.id, OLD.kind, OLD.environment_id, OLD.parameters, OLD.content_sha256, OLD.risk, OLD.approvals_required,
      OLD.requested_by_id, OLD.requested_at, OLD.seeded, OLD.exclusive_key) THEN
    RAISE EXCEPTION 'what an operation asks never changes; request a new one' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.status <> OLD.status AND (OLD.status || '>' || NEW.status) NOT IN (
       'awaiting_approval>queued', 'awaiting_approval>rejected', 'awaiting_approval>expired',
       'awaiting_approval>cancelled', 'queued>awaiting_approval', 'queued>running', 'queued>expired',
       'queued>cancelled', 'running>succeeded', 'running>failed', 'running>cancelled', 'running>expired') THEN
    RAISE EXCEPTION 'operation % never goes from % to %', OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.break_glass_by_id IS DISTINCT FROM OLD.break_glass_by_id
     AND NOT (OLD.status = 'awaiting_approval' AND NEW.status = 'queued') THEN
    RAISE EXCEPTION 'the glass is broken only on the way from awaiting approval to queued'
      USING ERRCODE = 'check_violation';
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

CREATE OR REPLACE FUNCTION operations_operation_born() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status NOT IN ('awaiting_approval', 'queued') OR NEW.break_glass_by_id IS NOT NULL THEN
    RAISE EXCEPTION 'an operation begins awaiting approval or queued, its glass unbroken'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
