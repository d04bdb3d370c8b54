-- The same as providers/lookalikes.py: equal for names that a reader takes for the same.
CREATE FUNCTION operations_name_skeleton(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT replace(replace(
    regexp_replace(
      translate(
        lower(translate(
          normalize(translate(name, letters.imitations, letters.latin), NFKD),
          letters.imitations, letters.latin)),
        letters.imitations, letters.latin),
      '[^a-z0-9]', '', 'g'), 'rn', 'm'), 'vv', 'w')
  FROM (VALUES (
    '@4аАɑαΑᴀ8вВβΒьʙсСϲᴄԁɗᴅ3еЕεΕєᴇё9ɡɢнНһΗʜкКκΚᴋ1iI|!ıіІїιΙӏӀʟɪмМ'
      || 'ΜᴍпПνηΝոռɴ0оОοΟօσᴏрРρΡᴘгГʀꮁ5$ѕЅꜱ7тТτΤᴛυսцᴜѵᴠѡωшᴡхХχΧуУγΥўʏ2ᴢΖ',
    'aaaaaaaabbbbbbbccccdddeeeeeeeeggghhhhhkkkkklllllllllllllllmm'
      || 'mmnnnnnnnnooooooooppppprrrrsssssttttttuuuuvvwwwwxxxxyyyyyyzzz'
  )) AS letters(imitations, latin)
$$;

CREATE FUNCTION operations_person_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  machine boolean := EXISTS (SELECT FROM operations_machineaccount WHERE user_id = NEW.id);
BEGIN
  IF machine AND (NEW.password NOT LIKE '!%' OR NEW.is_staff OR NEW.is_superuser) THEN
    RAISE EXCEPTION 'nobody signs in as the portal''s own account %', NEW.username USING ERRCODE = 'check_violation';
  END IF;
  IF NOT machine AND NOT (NEW.username = 'system' AND NEW.password = '!' AND NOT NEW.is_staff)
     AND operations_name_skeleton(NEW.username) IN (
       'system', 'render', 'supabase', 'setup', 'shell', 'portal', 'watchdog', 'scheduler') THEN
    RAISE EXCEPTION 'the name % is a machine''s; nobody was made or renamed', NEW.username
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER operations_person_guard
  BEFORE INSERT OR UPDATE OF username, password, is_staff, is_superuser ON auth_user
  FOR EACH ROW EXECUTE FUNCTION operations_person_guard();
