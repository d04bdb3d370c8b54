-- Accounts, experiments and what is shown to visitors.
CREATE TABLE users (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  email varchar(255) NOT NULL UNIQUE,
  password_hash varchar(255) NOT NULL,
  full_name varchar(255),
  company varchar(255),
  role varchar(20) NOT NULL DEFAULT 'client',
  is_active boolean NOT NULL DEFAULT true,
  settings jsonb NOT NULL DEFAULT '{}',
  last_login timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT valid_role CHECK (role IN ('client', 'admin', 'support'))
);

CREATE TABLE experiments (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name varchar(255) NOT NULL,
  description text,
  status varchar(20) NOT NULL DEFAULT 'draft',
  url text,
  traffic_share numeric(5, 4) NOT NULL DEFAULT 1,
  confidence_threshold numeric(5, 4) NOT NULL DEFAULT 0.95,
  config jsonb NOT NULL DEFAULT '{}',
  started_at timestamptz,
  completed_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT valid_status CHECK (status IN ('draft', 'active', 'paused', 'completed', 'archived')),
  CONSTRAINT valid_traffic CHECK (traffic_share > 0 AND traffic_share <= 1)
);
CREATE INDEX idx_experiments_user ON experiments (user_id);
CREATE INDEX idx_experiments_active ON experiments (status) WHERE status = 'active';

CREATE TABLE experiment_elements (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  experiment_id uuid NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
  element_order integer NOT NULL DEFAULT 0,
  name varchar(255) NOT NULL,
  selector_type varchar(20) NOT NULL DEFAULT 'css',
  selector_value text NOT NULL,
  element_type varchar(50) NOT NULL,
  original_content jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (experiment_id, element_order)
);

CREATE TABLE element_variants (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  element_id uuid NOT NULL REFERENCES experiment_elements (id) ON DELETE CASCADE,
  variant_order integer NOT NULL DEFAULT 0,
  name varchar(255) NOT NULL,
  content jsonb NOT NULL,
  algorithm_state bytea,
  total_allocations integer NOT NULL DEFAULT 0,
  total_conversions integer NOT NULL DEFAULT 0,
  conversion_rate numeric(6, 5) NOT NULL DEFAULT 0,
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (element_id, variant_order)
);

-- user_id is the visitor's id, a text of the tracker's making; no account.
CREATE TABLE assignments (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  experiment_id uuid NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
  user_id varchar(255) NOT NULL,
  variant_assignments jsonb NOT NULL,
  context jsonb NOT NULL DEFAULT '{}',
  assigned_at timestamptz NOT NULL DEFAULT now(),
  converted_at timestamptz,
  conversion_value numeric(10, 2),
  UNIQUE (experiment_id, user_id)
);
CREATE INDEX idx_assignments_converted ON assignments (experiment_id) WHERE converted_at IS NOT NULL;
