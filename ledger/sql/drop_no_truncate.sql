DROP TRIGGER ledger_head_no_truncate ON ledger_head;
DROP TRIGGER ledger_checkpoint_no_truncate ON ledger_checkpoint;
