-- The ledger only grows (docs/design.md 5). PostgreSQL chapter 37, "Triggers".
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: the ledger only grows. Nothing was changed.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION ledger_entry_continues() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    head record;
BEGIN
    SELECT sequence, sha256 INTO head FROM ledger_head WHERE id = 1;
    IF head IS NULL OR NEW.sequence <> head.sequence + 1 OR NEW.previous_sha256 <> head.sha256 THEN
        RAISE EXCEPTION 'Entry % does not continue the ledger. Nothing was changed.', NEW.sequence
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION ledger_head_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND EXISTS (SELECT FROM ledger_head) THEN
        RETURN NEW;  -- two first writers at once: the primary key refuses the second
    END IF;
    IF TG_OP = 'INSERT' AND NEW.sequence = 0 AND NEW.sha256 = repeat('0', 64)
       AND NOT EXISTS (SELECT FROM ledger_entry) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.id = OLD.id AND NEW.sequence = OLD.sequence + 1 AND EXISTS (
        SELECT FROM ledger_entry WHERE sequence = NEW.sequence AND sha256 = NEW.sha256
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% on ledger_head is refused: it only moves to the entry just written. Nothing was changed.', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER ledger_entry_no_update_delete BEFORE UPDATE OR DELETE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_entry_no_truncate BEFORE TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_entry_continues BEFORE INSERT ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_entry_continues();
CREATE TRIGGER ledger_head_forward BEFORE INSERT OR UPDATE OR DELETE ON ledger_head
    FOR EACH ROW EXECUTE FUNCTION ledger_head_moves_forward();
CREATE TRIGGER ledger_checkpoint_no_update_delete BEFORE UPDATE OR DELETE ON ledger_checkpoint
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();

INSERT INTO ledger_head (id, sequence, sha256) VALUES (1, 0, repeat('0', 64));
