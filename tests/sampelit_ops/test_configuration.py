"""`.env.example` names every variable the code reads and no other; `render.yaml` uses only those."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from sampelit_ops.variables import hosts_of

ROOT = Path(settings.BASE_DIR)
ROOMS = (
    "sampelit_ops",
    "operations",
    "ledger",
    "backups",
    "deployments",
    "migrations_registry",
    "providers",
    "sandbox",
)
# Set by our own processes for their children, or by make and Django; nobody configures them.
INTERNAL = {
    "DJANGO_SETTINGS_MODULE",
    "MAKELEVEL",
    "SSH_CONNECTION",  # of sshd: where a shell came from
    "OPS_WORKER_ID",
    "Q_CLUSTER_NAME",
    "SANDBOX_HEALTH_URL",
    "SANDBOX_STAGING_HEALTH_URL",
    "PATH",
    "HOME",
}
# Read by libraries, by a constant, or built from an environment's slug.
INDIRECT = {
    "OPS_SECRETS_FD",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "SAMPELIT_PRODUCTION_EXPORT_DSN",
    "SAMPELIT_PRODUCTION_MIGRATION_DSN",
    "SAMPELIT_PRODUCTION_RESTORE_DSN",
}
READ = re.compile(r"""(?:\benv\.\w+\(|environ(?:\.get|\.setdefault|\.pop)?[\[(])\s*["']([A-Z][A-Z0-9_]+)["']""")


def variables_read() -> set[str]:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return {name for path in files for name in READ.findall(path.read_text(encoding="utf-8"))} - INTERNAL


def variables_explained() -> set[str]:
    return set(re.findall(r"^([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.M))


def test_every_variable_is_explained_and_no_other():
    assert variables_explained() == variables_read() | INDIRECT


def test_numbers_that_are_shown_are_the_defaults():
    text = (ROOT / "sampelit_ops" / "settings.py").read_text(encoding="utf-8")
    numbers = re.findall(r"""env\.(?:int|float)\("(\w+)", default=([\d_]+)\)""", text)
    shown = dict(re.findall(r"^([A-Z_]+)=(\d+)\b", (ROOT / ".env.example").read_text(encoding="utf-8"), re.M))
    assert {name: shown[name] for name, _ in numbers} == {name: number.replace("_", "") for name, number in numbers}


def blueprint() -> dict:
    return yaml.safe_load((ROOT / "render.yaml").read_text(encoding="utf-8"))


def keys_of(service: dict, groups: dict[str, set[str]]) -> set[str]:
    own = {variable["key"] for variable in service["envVars"] if "key" in variable}
    return own.union(*(groups[variable["fromGroup"]] for variable in service["envVars"] if "fromGroup" in variable))


def test_the_blueprint_uses_known_variables_and_gives_every_service_what_it_needs():
    spec = blueprint()
    groups = {group["name"]: {variable["key"] for variable in group["envVars"]} for group in spec["envVarGroups"]}
    for service in spec["services"]:
        keys = keys_of(service, groups)
        assert keys - {"PYTHON_VERSION"} <= variables_explained()
        assert {"SECRET_KEY", "DATABASE_URL", "BACKUP_STORE", "BACKUP_AGE_RECIPIENTS", "NOTIFY_EMAILS"} <= keys
        assert service["type"] == "web" or "OPS_BASE_URL" in keys


def test_who_loads_strangers_rows_holds_no_key_to_votes_or_to_those_that_have_one():
    """RENDER_API_KEY shows every variable of every service."""
    keys = {
        service["name"]: {variable.get("key") for variable in service["envVars"]} for service in blueprint()["services"]
    }
    mighty = {"AUTHORITY_KEY", "FACTOR_KEY", "RENDER_API_KEY", "SUPABASE_ACCESS_TOKEN", "EMAIL_HOST_PASSWORD"}
    assert not keys["sampelit-ops-prove"] & mighty
    assert {name for name in keys if "AUTHORITY_KEY" in keys[name]} == keys.keys() - {"sampelit-ops-prove"}
    assert {name for name in keys if "FACTOR_KEY" in keys[name]} == {"sampelit-ops-web"}


def test_every_secret_is_asked_for_once_and_taken_over_by_the_others():
    asked = [
        (variable["key"], service["name"])
        for service in blueprint()["services"]
        for variable in service["envVars"]
        if variable.get("sync") is False
    ]
    taken = {
        (variable["key"], variable["fromService"]["envVarKey"], variable["fromService"]["name"])
        for service in blueprint()["services"]
        for variable in service["envVars"]
        if "fromService" in variable
    }

    assert len({key for key, _ in asked}) == len(asked)
    made = {
        ("SECRET_KEY", "sampelit-ops-web"),
        ("AUTHORITY_KEY", "sampelit-ops-web"),
        ("RENDER_EXTERNAL_URL", "sampelit-ops-web"),
    }
    assert {(source, name) for _, source, name in taken} <= {*asked, *made}


@pytest.mark.parametrize(
    ("base", "platform", "hosts"),
    [
        ("http://127.0.0.1:8000", "", ["127.0.0.1", "localhost"]),
        ("https://a.onrender.com", "a.onrender.com", ["a.onrender.com", "127.0.0.1", "localhost"]),
        (
            "https://ops.example.com/x",
            "a.onrender.com",
            ["ops.example.com", "a.onrender.com", "127.0.0.1", "localhost"],
        ),
        ("nonsense", "", ["127.0.0.1", "localhost"]),
    ],
)
def test_the_portal_answers_to_its_own_names(base: str, platform: str, hosts: list[str]):
    assert hosts_of(base, platform) == hosts


def test_only_the_prove_worker_holds_the_backup_identity_and_the_web_holds_no_worker_secret():
    services = {
        service["name"]: {variable.get("key") for variable in service["envVars"]} for service in blueprint()["services"]
    }
    holders = [name for name, keys in services.items() if "BACKUP_AGE_IDENTITY" in keys]
    assert holders == ["sampelit-ops-prove"]
    assert not services["sampelit-ops-web"] & {
        "OPS_SEAL_IDENTITY",
        "BACKUP_SIGNING_KEY",
        "SAMPELIT_PRODUCTION_MIGRATION_DSN",
    }


def test_what_the_blueprint_starts_exists():
    for service in blueprint()["services"]:
        for command in (service["buildCommand"], service.get("preDeployCommand", ""), service["startCommand"]):
            first = command.split()[0] if command else ""
            if first.startswith("./"):
                assert (ROOT / first).stat().st_mode & 0o111
    assert blueprint()["services"][0]["healthCheckPath"] == "/healthz"


def test_the_picture_shows_every_room_of_the_tree():
    picture = (ROOT / "docs" / "architecture.svg").read_text(encoding="utf-8")
    assert [room for room in ROOMS if f">{room}<" not in picture] == []
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert packages == set(ROOMS)
