-- Functions, triggers and row-level security of the product.
CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END;
$$;
CREATE FUNCTION refresh_conversion_rate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.conversion_rate := CASE WHEN NEW.total_allocations > 0
    THEN round(NEW.total_conversions::numeric / NEW.total_allocations, 5) ELSE 0 END;
  RETURN NEW;
END;
$$;
CREATE FUNCTION is_excluded(p_user uuid, p_type text, p_value text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM traffic_exclusion_rules
                 WHERE user_id = p_user AND enabled AND rule_type = p_type AND rule_value = p_value)
$$;
CREATE FUNCTION purge_expired_oauth_states() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE v_gone integer;
BEGIN
  DELETE FROM oauth_states WHERE expires_at < now();
  GET DIAGNOSTICS v_gone = ROW_COUNT;
  RETURN v_gone;
END;
$$;

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['users', 'experiments', 'element_variants', 'platform_installations', 'user_onboarding', 'subscriptions']
  LOOP
    EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION set_updated_at()', t || '_updated', t);
  END LOOP;
END
$$;
CREATE TRIGGER element_variants_rate BEFORE INSERT OR UPDATE OF total_allocations, total_conversions ON element_variants
  FOR EACH ROW EXECUTE FUNCTION refresh_conversion_rate();

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE experiments ENABLE ROW LEVEL SECURITY;
ALTER TABLE experiment_elements ENABLE ROW LEVEL SECURITY;
ALTER TABLE element_variants ENABLE ROW LEVEL SECURITY;
ALTER TABLE assignments ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform_installations ENABLE ROW LEVEL SECURITY;
ALTER TABLE traffic_exclusion_rules ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_onboarding ENABLE ROW LEVEL SECURITY;
ALTER TABLE subscriptions ENABLE ROW LEVEL SECURITY;

CREATE POLICY own_account ON users USING (auth.uid() = id);
CREATE POLICY own_experiments ON experiments USING (auth.uid() = user_id);
CREATE POLICY own_elements ON experiment_elements USING (
  experiment_id IN (SELECT id FROM experiments WHERE user_id = auth.uid()));
CREATE POLICY own_variants ON element_variants USING (
  element_id IN (SELECT el.id FROM experiment_elements el JOIN experiments e ON e.id = el.experiment_id
                 WHERE e.user_id = auth.uid()));
CREATE POLICY own_assignments ON assignments USING (
  experiment_id IN (SELECT id FROM experiments WHERE user_id = auth.uid()));
CREATE POLICY own_installations ON platform_installations USING (auth.uid() = user_id);
CREATE POLICY own_rules ON traffic_exclusion_rules USING (auth.uid() = user_id);
CREATE POLICY own_onboarding ON user_onboarding USING (auth.uid() = user_id);
CREATE POLICY own_subscription ON subscriptions USING (auth.uid() = user_id);
