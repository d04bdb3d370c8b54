"""What policies believe of who asks, who may call with an owner's rights, comments that APIs obey, empty checks."""

from __future__ import annotations

import pytest

from migrations_registry.analysis import analyse
from migrations_registry.analysis.model import DESTRUCTIVE
from migrations_registry.analysis.risk import ROUTINE, SENSITIVE

CHOSEN = {
    "a header": "current_setting('request.headers', true)::json ->> 'x-tenant'",
    "a header by PostgREST's older name": "current_setting('request.header.x-tenant', true)",
    "a cookie": "current_setting('request.cookies', true)::json ->> 'tenant'",
    "a cookie by its older name": "current_setting('request.cookie.tenant', true)",
    "what a user writes of himself": "auth.jwt() -> 'user_metadata' ->> 'tenant'",
    "the same by its path": "auth.jwt() #>> '{user_metadata,tenant}'",
    "the same in the table": "(SELECT raw_user_meta_data ->> 'tenant' FROM auth.users WHERE id = auth.uid())",
}
GIVEN = {
    "the server's metadata": "auth.jwt() -> 'app_metadata' ->> 'tenant'",
    "who it is": "auth.uid()::text",
    "the token's subject": "current_setting('request.jwt.claims', true)::json ->> 'sub'",
    "a row of members": "(SELECT tenant FROM public.members m WHERE m.user_id = (SELECT auth.uid()))",
}
ASKED = {
    "to read": "CREATE POLICY p ON t FOR SELECT TO authenticated USING (tenant = {})",
    "to write": "CREATE POLICY p ON t FOR INSERT TO authenticated WITH CHECK (tenant = ({}))",
    "among others": "CREATE POLICY p ON t TO authenticated USING (NOT gone AND (tenant = ({}) OR owner = auth.uid()))",
    "by a function": "CREATE FUNCTION private.tenant() RETURNS text LANGUAGE sql STABLE AS $$ SELECT {} $$; "
    "CREATE POLICY p ON t FOR SELECT TO authenticated USING (tenant = (SELECT private.tenant()))",
}
OPENS = "REVOKE EXECUTE ON FUNCTION f(uuid) FROM public, anon; GRANT EXECUTE ON FUNCTION f(uuid) TO "
MAKES = "CREATE FUNCTION f(u uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS "
WRITES = {
    "rows": "DELETE FROM public.orders WHERE owner = u",
    "accounts": "UPDATE auth.users SET encrypted_password = extensions.crypt('x', extensions.gen_salt('bf'))",
    "what it is told": "EXECUTE format('DELETE FROM public.%I', u)",
    "columns by name": "INSERT INTO public.roles (id) VALUES (u)",
    "a secret": "PERFORM secret FROM vault.decrypted_secrets",
}
BECOMES = "ALTER FUNCTION f() SECURITY DEFINER SET search_path = ''"
ALTERED = {
    BECOMES: DESTRUCTIVE,
    BECOMES.replace("FUNCTION", "PROCEDURE"): DESTRUCTIVE,
    "ALTER ROUTINE f(int) SET search_path FROM CURRENT SECURITY DEFINER": DESTRUCTIVE,
    f"CREATE FUNCTION f() RETURNS SETOF t LANGUAGE sql AS 'SELECT * FROM public.t'; {BECOMES}": DESTRUCTIVE,
    f"BEGIN; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; ROLLBACK; {BECOMES}": DESTRUCTIVE,
    "ALTER FUNCTION f() SET session_replication_role = replica": DESTRUCTIVE,
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET session_replication_role = replica AS 'SELECT 1'": DESTRUCTIVE,
    f"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; {BECOMES}": ROUTINE,
    "CREATE FUNCTION f() RETURNS SETOF t LANGUAGE sql AS 'SELECT * FROM public.t WHERE owner = auth.uid()'; "
    + BECOMES: ROUTINE,
    "ALTER FUNCTION f() SET search_path = ''": ROUTINE,
    "ALTER FUNCTION f() RESET session_replication_role SET search_path = ''": DESTRUCTIVE,
}
NEVER = {
    "ALTER TABLE t ADD CHECK (false) NOT VALID": SENSITIVE,
    "ALTER TABLE t ADD CONSTRAINT c CHECK (1 = 0) NO INHERIT NOT VALID": SENSITIVE,
    "ALTER TABLE t ADD CHECK (NOT true) NOT VALID": SENSITIVE,
    "ALTER TABLE t ADD CHECK (a > 0 AND 'a' = 'b') NOT VALID": SENSITIVE,
    "ALTER DOMAIN d ADD CHECK (false) NOT VALID": SENSITIVE,
    "CREATE TABLE n (c text PRIMARY KEY); ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES n NOT VALID": SENSITIVE,
    "ALTER TABLE t ADD CHECK (a > 0 OR false) NOT VALID": ROUTINE,
    "ALTER TABLE t ADD CHECK (NULL) NOT VALID": ROUTINE,
    "ALTER TABLE t ADD CHECK (a IN (1, 2)) NOT VALID": ROUTINE,
    "CREATE DOMAIN d AS int; ALTER DOMAIN d ADD CHECK (false)": ROUTINE,
    "CREATE TABLE n (c text PRIMARY KEY); INSERT INTO n SELECT DISTINCT c FROM t; "
    "ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES n NOT VALID": ROUTINE,
    "CREATE TABLE n (c text PRIMARY KEY); ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES n NOT VALID; "
    "INSERT INTO n VALUES ('a')": ROUTINE,
    "CREATE TABLE n AS SELECT DISTINCT c FROM t; ALTER TABLE n ADD PRIMARY KEY (c); "
    "ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES n NOT VALID": ROUTINE,
    "CREATE TABLE n (c text PRIMARY KEY); ALTER TABLE t ADD COLUMN c text; "
    "ALTER TABLE t ADD FOREIGN KEY (c) REFERENCES n NOT VALID": ROUTINE,
}
MINE = "CREATE POLICY p ON t FOR SELECT TO authenticated USING ({})"
ANYBODYS = {
    "owner = auth.uid() OR owner IS NOT NULL": DESTRUCTIVE,
    "t.owner IS NOT NULL OR (SELECT auth.uid()) = t.owner": DESTRUCTIVE,
    "owner = auth.uid() OR team IS NOT NULL": ROUTINE,
    "owner = auth.uid() OR owner IS NULL": ROUTINE,
    "owner = auth.uid() AND owner IS NOT NULL": ROUTINE,
    "owner = auth.uid() OR is_public": ROUTINE,
}
SIGNS_UP = (
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN "
    "INSERT INTO public.profiles (id, x) VALUES (new.id, {}); RETURN new; END $$; "
    "CREATE TRIGGER g {} INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION f()"
)
SIGNED_UP = {
    ("new.raw_user_meta_data ->> 'role'", "AFTER"): DESTRUCTIVE,
    ("(new.raw_user_meta_data->>'is_admin')::boolean", "AFTER"): DESTRUCTIVE,
    ("coalesce((new.raw_user_meta_data) ->> 'tenant_id', '')", "AFTER"): DESTRUCTIVE,
    ("new.raw_user_meta_data #>> '{user_metadata,plan}'", "AFTER"): DESTRUCTIVE,
    ("new.raw_user_meta_data ->> 'full_name'", "BEFORE"): DESTRUCTIVE,
    ("new.raw_user_meta_data ->> 'full_name'", "AFTER"): ROUTINE,
    ("new.raw_app_meta_data ->> 'role'", "AFTER"): ROUTINE,
}
COMMENTS = {
    "COMMENT ON SCHEMA public IS '@graphql({\"inflect_names\": true})'": SENSITIVE,
    'COMMENT ON TYPE mood IS \'@graphql({"mappings": {"a-b": "A"}})\'': SENSITIVE,
    'COMMENT ON TABLE t IS \'@graphql({"totalCount": {"enabled": true}, "name": "X"})\'': SENSITIVE,
    "COMMENT ON TABLE t IS 'x @graphql ( {\"max_rows\": 9} )'": SENSITIVE,
    f"COMMENT ON TABLE t IS '@graphql({'[' * 100_000})'": SENSITIVE,
    f"COMMENT ON TABLE t IS '@graphql({'9' * 9_000})'": SENSITIVE,
    'COMMENT ON FUNCTION f(int) IS \'@graphql({"name": "x"})\'': SENSITIVE,
    'COMMENT ON CONSTRAINT c ON app.t IS \'@graphql({"foreign_name": "x"})\'': SENSITIVE,
    "COMMENT ON COLUMN t.a IS E'A column.\\n@name b'": SENSITIVE,
    "COMMENT ON VIEW v IS '@omit'": SENSITIVE,
    "DO $$ BEGIN COMMENT ON TABLE t IS '@omit'; END $$": SENSITIVE,
    'COMMENT ON TABLE t IS \'@graphql({"totalCount": {"enabled": true}})\'': ROUTINE,
    'COMMENT ON TABLE t IS \'@graphql({"description": "Sold"})\'': ROUTINE,
    "COMMENT ON COLUMN t.a IS 'ask me@name.example'": ROUTINE,
    "COMMENT ON TABLE t IS NULL": ROUTINE,
    "CREATE TABLE n (a int); COMMENT ON TABLE n IS '@omit'; COMMENT ON COLUMN n.a IS '@omit'": ROUTINE,
    "CREATE TYPE m AS ENUM ('a'); COMMENT ON TYPE m IS '@graphql({\"name\": \"x\"})'": ROUTINE,
    "CREATE SCHEMA s; COMMENT ON SCHEMA s IS '@graphql({\"inflect_names\": true})'": ROUTINE,
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; COMMENT ON FUNCTION f() IS '@omit'": ROUTINE,
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("said", CHOSEN)
def test_what_whoever_asks_may_choose_decides_nothing(said: str, asked: str) -> None:
    found = {each.rule for each in analyse(ASKED[asked].format(CHOSEN[said]).encode()).findings}

    assert "MS-POLICY-METADATA" in found


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("said", GIVEN)
def test_what_the_server_says_of_them_may_decide(said: str, asked: str) -> None:
    assert analyse(ASKED[asked].format(GIVEN[said]).encode()).risk == ROUTINE


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role, anon", "PUBLIC"])
@pytest.mark.parametrize("what", WRITES)
def test_who_may_call_what_runs_with_its_owners_rights(what: str, role: str) -> None:
    text = f"{MAKES}$$ BEGIN {WRITES[what]}; END $$; {OPENS}{role}"

    assert analyse(text.encode()).risk == DESTRUCTIVE


@pytest.mark.parametrize(
    ("body", "role"),
    [
        *((WRITES[what], "service_role") for what in WRITES),
        *((f"IF auth.uid() = u THEN {WRITES[what]}; END IF", "authenticated") for what in WRITES),
        *((f"IF private.is_admin(u) THEN {WRITES[what]}; END IF", "authenticated") for what in WRITES),
        ("PERFORM count(*) FROM public.orders", "authenticated"),
        ("PERFORM 1", "anon"),
    ],
)
def test_what_asks_who_calls_or_is_closed_is_left_alone(body: str, role: str) -> None:
    assert analyse(f"{MAKES}$$ BEGIN {body}; END $$; {OPENS}{role}".encode()).risk == ROUTINE


@pytest.mark.parametrize("text", COMMENTS)
def test_a_comment_that_an_api_obeys_is_no_mere_comment(text: str) -> None:
    assert analyse(text.encode()).risk == COMMENTS[text]


@pytest.mark.parametrize("text", ALTERED)
def test_a_function_that_gets_its_owners_rights_later_is_judged_by_what_it_does(text: str) -> None:
    assert analyse(text.encode()).risk == ALTERED[text]


@pytest.mark.parametrize("text", NEVER)
def test_what_no_row_passes_any_more_is_told(text: str) -> None:
    assert analyse(text.encode(), as_runner=True).risk == NEVER[text]


@pytest.mark.parametrize("condition", ANYBODYS)
def test_a_row_that_is_somebodys_is_not_everybodys(condition: str) -> None:
    assert analyse(MINE.format(condition).encode()).risk == ANYBODYS[condition]


@pytest.mark.parametrize(("value", "when"), SIGNED_UP)
def test_who_signs_up_does_not_choose_what_they_may_do(value: str, when: str) -> None:
    assert analyse(SIGNS_UP.format(value, when).encode()).risk == SIGNED_UP[value, when]
