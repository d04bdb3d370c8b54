DROP TRIGGER ledger_entry_no_update_delete ON ledger_entry;
DROP TRIGGER ledger_entry_no_truncate ON ledger_entry;
DROP TRIGGER ledger_entry_continues ON ledger_entry;
DROP TRIGGER ledger_head_forward ON ledger_head;
DROP TRIGGER ledger_checkpoint_no_update_delete ON ledger_checkpoint;
DROP FUNCTION ledger_refuse_change();
DROP FUNCTION ledger_entry_continues();
DROP FUNCTION ledger_head_moves_forward();
