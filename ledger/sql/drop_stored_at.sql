CREATE OR REPLACE FUNCTION ledger_entry_continues() RETURNS trigger LANGUAGE plpgsql AS $$
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
