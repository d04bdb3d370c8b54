CREATE TABLE supabase_migrations.sampelit_ops_marks (
    operation text NOT NULL,
    step integer NOT NULL,
    batch integer NOT NULL,
    key text[] NOT NULL,
    walked bigint NOT NULL,
    rows bigint NOT NULL,
    is_last boolean NOT NULL,
    xid text NOT NULL DEFAULT pg_current_xact_id()::text,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (operation, step, batch)
)
