CREATE FUNCTION digest(bytea, text) RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql AS $$
  SELECT CASE pg_catalog.lower($2)
    WHEN 'md5' THEN pg_catalog.decode(pg_catalog.md5($1), 'hex') WHEN 'sha224' THEN pg_catalog.sha224($1)
    WHEN 'sha256' THEN pg_catalog.sha256($1) WHEN 'sha384' THEN pg_catalog.sha384($1)
    WHEN 'sha512' THEN pg_catalog.sha512($1)
    ELSE pg_catalog.decode('this server cannot digest by ' || $2, 'hex') END$$;
CREATE FUNCTION digest(text, text) RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql
  AS $$SELECT @extschema@.digest(pg_catalog.convert_to($1, 'UTF8'), $2)$$;
CREATE FUNCTION hmac(bytea, bytea, text) RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql AS $$
DECLARE
  block integer := CASE WHEN pg_catalog.lower($3) IN ('sha384', 'sha512') THEN 128 ELSE 64 END;
  key bytea := CASE WHEN pg_catalog.length($2) > block THEN @extschema@.digest($2, $3) ELSE $2 END;
  inner_pad bytea;
  outer_pad bytea;
BEGIN
  key := key || pg_catalog.decode(pg_catalog.repeat('00', block - pg_catalog.length(key)), 'hex');
  inner_pad := key;
  outer_pad := key;
  FOR place IN 0 .. block - 1 LOOP
    inner_pad := pg_catalog.set_byte(inner_pad, place, pg_catalog.get_byte(key, place) # 54);
    outer_pad := pg_catalog.set_byte(outer_pad, place, pg_catalog.get_byte(key, place) # 92);
  END LOOP;
  RETURN @extschema@.digest(outer_pad || @extschema@.digest(inner_pad || $1, $3), $3);
END$$;
CREATE FUNCTION hmac(text, text, text) RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql
  AS $$SELECT @extschema@.hmac(pg_catalog.convert_to($1, 'UTF8'), pg_catalog.convert_to($2, 'UTF8'), $3)$$;
CREATE FUNCTION gen_random_uuid() RETURNS uuid VOLATILE PARALLEL SAFE LANGUAGE sql
  AS $$SELECT pg_catalog.gen_random_uuid()$$;
CREATE FUNCTION gen_random_bytes(integer) RETURNS bytea VOLATILE STRICT PARALLEL SAFE LANGUAGE sql AS $$
  SELECT pg_catalog.substr(pg_catalog.string_agg(
    pg_catalog.sha256(pg_catalog.uuid_send(pg_catalog.gen_random_uuid()) || pg_catalog.uuid_send(pg_catalog.gen_random_uuid())), ''), 1, $1)
  FROM pg_catalog.generate_series(1, $1 / 32 + 1)$$;
