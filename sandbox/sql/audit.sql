-- The promise to the customers: every decision is a row, chained per experiment.
CREATE TABLE algorithm_audit_trail (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  experiment_id uuid NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
  visitor_id varchar(255) NOT NULL,
  selected_variant_id uuid NOT NULL,
  assignment_id uuid NOT NULL,
  decision_timestamp timestamptz NOT NULL,
  segment_key varchar(255) DEFAULT 'default',
  algorithm_version varchar(50) NOT NULL,
  context_hash varchar(64),
  user_agent_hash varchar(64),
  conversion_observed boolean DEFAULT false,
  conversion_timestamp timestamptz,
  conversion_value numeric(10, 2),
  sequence_number bigint NOT NULL,
  previous_hash varchar(64),
  decision_hash varchar(64) NOT NULL,
  created_at timestamptz DEFAULT now(),
  UNIQUE (experiment_id, sequence_number),
  UNIQUE (experiment_id, previous_hash)
);
CREATE INDEX idx_audit_experiment ON algorithm_audit_trail (experiment_id);
CREATE INDEX idx_audit_visitor ON algorithm_audit_trail (visitor_id);
CREATE INDEX idx_audit_sequence ON algorithm_audit_trail (experiment_id, sequence_number DESC);
CREATE INDEX idx_audit_decided ON algorithm_audit_trail (decision_timestamp);
CREATE INDEX idx_audit_segment ON algorithm_audit_trail (segment_key);

-- Weak like the product's own: it walks from 1 upwards, compares each link with its neighbour and recomputes no hash, so an
-- edited row, a forged conversion, a hole (the walk just stops there) and a cut tail are all valid.
CREATE FUNCTION verify_audit_chain(p_experiment_id uuid)
RETURNS TABLE (sequence_number bigint, is_valid boolean, error_message text)
LANGUAGE sql STABLE AS $$
  WITH RECURSIVE walk AS (
    SELECT a.sequence_number AS seq, a.decision_hash AS hash, a.previous_hash IS NULL AS fits
    FROM algorithm_audit_trail a WHERE a.experiment_id = p_experiment_id AND a.sequence_number = 1
    UNION ALL
    SELECT a.sequence_number, a.decision_hash, a.previous_hash = walk.hash
    FROM algorithm_audit_trail a JOIN walk ON a.sequence_number = walk.seq + 1
    WHERE a.experiment_id = p_experiment_id
  )
  SELECT seq, fits, CASE WHEN fits THEN NULL ELSE 'Previous hash does not match' END FROM walk ORDER BY seq
$$;

CREATE FUNCTION audit_summary(p_experiment_id uuid)
RETURNS TABLE (decisions bigint, conversions bigint, first_decision timestamptz, last_decision timestamptz)
LANGUAGE sql STABLE AS $$
  SELECT count(*), count(*) FILTER (WHERE conversion_observed), min(decision_timestamp), max(decision_timestamp)
  FROM algorithm_audit_trail WHERE experiment_id = p_experiment_id
$$;
