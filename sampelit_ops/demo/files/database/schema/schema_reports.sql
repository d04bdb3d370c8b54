-- Nightly totals per experiment, so that the dashboard need not read the audit trail.
CREATE TABLE experiment_totals (
    experiment_id uuid NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    day date NOT NULL,
    decisions bigint NOT NULL DEFAULT 0,
    conversions bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (experiment_id, day)
);
ALTER TABLE experiment_totals ENABLE ROW LEVEL SECURITY;
CREATE POLICY experiment_totals_owner ON experiment_totals
    FOR SELECT USING (experiment_id IN (SELECT id FROM experiments WHERE user_id = auth.uid()));
