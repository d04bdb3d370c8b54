ALTER TABLE migrations_registry_migrationfile
    ADD CONSTRAINT migrationfile_sha256_of_content CHECK (encode(sha256(content), 'hex') = sha256);

CREATE FUNCTION migrations_registry_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (new.path, new.sha256, new.content, new.revision, new.stream)
       IS DISTINCT FROM (old.path, old.sha256, old.content, old.revision, old.stream) THEN
        RAISE EXCEPTION 'a registered migration never changes: register the new bytes as a new revision';
    END IF;
    RETURN new;
END $$;

CREATE TRIGGER migrationfile_immutable BEFORE UPDATE ON migrations_registry_migrationfile
    FOR EACH ROW EXECUTE FUNCTION migrations_registry_refuse_change();
