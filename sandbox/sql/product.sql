-- Around the experiments: installations, exclusions, billing, integrations, leads.
CREATE TABLE platform_installations (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  platform varchar(50) NOT NULL,
  site_url text NOT NULL,
  installation_token varchar(64) NOT NULL UNIQUE,
  status varchar(20) NOT NULL DEFAULT 'pending',
  metadata jsonb NOT NULL DEFAULT '{}',
  verified_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE traffic_exclusion_rules (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  rule_type varchar(30) NOT NULL,
  rule_value text NOT NULL,
  enabled boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE excluded_sessions (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  experiment_id uuid NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
  rule_id uuid REFERENCES traffic_exclusion_rules (id) ON DELETE SET NULL,
  session_id varchar(255) NOT NULL,
  reason text,
  excluded_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE user_onboarding (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  current_step varchar(50) NOT NULL DEFAULT 'welcome',
  steps_done jsonb NOT NULL DEFAULT '[]',
  completed boolean NOT NULL DEFAULT false,
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE subscriptions (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  user_id uuid NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE,
  plan varchar(20) NOT NULL DEFAULT 'free',
  status varchar(20) NOT NULL DEFAULT 'active',
  monthly_price numeric(8, 2) NOT NULL DEFAULT 0,
  current_period daterange,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT valid_plan CHECK (plan IN ('free', 'starter', 'professional', 'scale'))
);
CREATE TABLE oauth_states (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  state varchar(128) NOT NULL UNIQUE,
  platform varchar(50) NOT NULL,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE integration_webhooks (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  installation_id uuid NOT NULL REFERENCES platform_installations (id) ON DELETE CASCADE,
  topic varchar(100) NOT NULL,
  secret bytea,
  active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE integration_events (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  installation_id uuid NOT NULL REFERENCES platform_installations (id) ON DELETE CASCADE,
  event_type varchar(100) NOT NULL,
  payload jsonb NOT NULL,
  processed boolean NOT NULL DEFAULT false,
  received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_events_pending ON integration_events (received_at) WHERE NOT processed;
CREATE TABLE integration_api_calls (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  installation_id uuid NOT NULL REFERENCES platform_installations (id) ON DELETE CASCADE,
  endpoint text NOT NULL,
  status_code smallint,
  took double precision,
  called_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE platform_sync_jobs (
  id uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
  installation_id uuid NOT NULL REFERENCES platform_installations (id) ON DELETE CASCADE,
  job_type varchar(50) NOT NULL,
  status varchar(20) NOT NULL DEFAULT 'queued',
  attempts integer NOT NULL DEFAULT 0,
  last_error text,
  scheduled_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE leads (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email varchar(255) NOT NULL UNIQUE,
  name varchar(255),
  message text,
  source varchar(50) NOT NULL DEFAULT 'website',
  ip_address inet,
  status varchar(20) NOT NULL DEFAULT 'new',
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT leads_status_check CHECK (status IN ('new', 'contacted', 'qualified', 'lost'))
);

CREATE VIEW experiment_performance AS
SELECT e.id AS experiment_id, e.name, v.id AS variant_id, v.name AS variant_name,
       v.total_allocations, v.total_conversions, v.conversion_rate
FROM experiments e
JOIN experiment_elements el ON el.experiment_id = e.id
JOIN element_variants v ON v.element_id = el.id;
