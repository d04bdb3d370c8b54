"""What PostgreSQL itself does: its built-in functions, the lock each statement takes, which type changes rewrite."""
