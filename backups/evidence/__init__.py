"""Evidence: signed facts about every proven run, and reports that an auditor can check without the rows."""
