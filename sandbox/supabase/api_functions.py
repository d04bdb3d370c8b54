"""Edge functions and secrets. A deployed function can be called: it writes to the real database, past Render."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any

import psycopg

from sandbox.supabase.api_projects import Answer, active
from sandbox.supabase.routing import PROJECT, route
from sandbox.supabase.state import ApiError, Json, World, now, stamp
from sandbox.web import Request

FUNCTIONS = Path(__file__).parent / "functions"
LEAD = "INSERT INTO leads (email, source) VALUES (%s, %s)"


def shown(function: Json) -> Json:
    return {name: value for name, value in function.items() if name not in ("files", "calls")}


@route("GET", PROJECT + "/functions")
def functions(world: World, request: Request, ref: str) -> Answer:
    return 200, [shown(function) for function in world.project(ref)["functions"].values()]


@route("GET", PROJECT + "/functions/{slug}")
def function(world: World, request: Request, ref: str, slug: str) -> Answer:
    return 200, shown(_function(world, ref, slug))


@route("POST", PROJECT + "/functions/deploy")
def deploy(world: World, request: Request, ref: str) -> Answer:
    project = active(world, ref)
    sent = _parts(request.headers.get("Content-Type", ""), request.content)
    files = {path: content for name, path, content in sent if name == "file"}
    try:
        metadata = json.loads(next(content for name, _, content in sent if name == "metadata"))
        slug, entrypoint = (request.query.get("slug") or [metadata.get("name", "")])[-1], metadata["entrypoint_path"]
    except (StopIteration, ValueError, KeyError):
        raise ApiError(400, "metadata.entrypoint_path: Required") from None
    if entrypoint not in files or not slug:
        raise ApiError(400, f"Entrypoint path does not exist: {entrypoint}")
    project["functions"][slug] = _deployed(project["functions"].get(slug), slug, metadata, files)
    return 201, shown(project["functions"][slug])


@route("GET", PROJECT + "/functions/{slug}/body")
def bundle(world: World, request: Request, ref: str, slug: str) -> Answer:
    """Opaque to the caller, as Supabase's own format is."""
    return 200, json.dumps(_function(world, ref, slug)["files"], sort_keys=True).encode()


@route("POST", PROJECT + "/functions")
def create_from_bundle(world: World, request: Request, ref: str) -> Answer:
    slug = request.query.get("slug", [""])[-1]
    if not slug or slug in active(world, ref)["functions"]:
        raise ApiError(400, f"Duplicated function slug: {slug}" if slug else "slug: Required")
    name = request.query.get("name", [slug])[-1]
    return 201, _from_bundle(world, request, ref, slug, {"name": name, "entrypoint_path": ""}, None)


@route("PATCH", PROJECT + "/functions/{slug}")
def put_bundle(world: World, request: Request, ref: str, slug: str) -> Answer:
    before = _function(world, ref, slug)
    return 200, _from_bundle(world, request, ref, slug, before, before)


def _from_bundle(world: World, request: Request, ref: str, slug: str, known: Json, before: Json | None) -> Json:
    if not isinstance(request.body, dict) or "eszip" not in request.headers.get("Content-Type", ""):
        raise ApiError(400, "The body is no bundle of this platform.")
    files = {path: base64.b64decode(content) for path, content in request.body.items()}
    metadata = {
        "name": known["name"],
        "verify_jwt": request.query.get("verify_jwt", ["true"])[-1] == "true",
        "entrypoint_path": request.query.get("entrypoint_path", [known["entrypoint_path"]])[-1],
    }
    world.project(ref)["functions"][slug] = _deployed(before, slug, metadata, files)
    return shown(world.project(ref)["functions"][slug])


@route("DELETE", PROJECT + "/functions/{slug}")
def delete(world: World, request: Request, ref: str, slug: str) -> Answer:
    _function(world, ref, slug)
    del world.project(ref)["functions"][slug]
    return 200, None


@route("GET", PROJECT + "/secrets")
def secrets(world: World, request: Request, ref: str) -> Answer:
    return 200, list(world.project(ref)["secrets"].values())


@route("POST", PROJECT + "/secrets")
def set_secrets(world: World, request: Request, ref: str) -> Answer:
    wanted: Any = request.body
    if not isinstance(wanted, list) or any(str(item.get("name", "")).startswith("SUPABASE_") for item in wanted):
        raise ApiError(400, "Secret name must not start with the SUPABASE_ prefix.")
    for item in wanted:
        digest = hashlib.sha256(str(item["value"]).encode()).hexdigest()
        world.project(ref)["secrets"][item["name"]] = {
            "name": item["name"],
            "value": digest,
            "updated_at": stamp(now()),
        }
    return 201, None


@route("DELETE", PROJECT + "/secrets")
def delete_secrets(world: World, request: Request, ref: str) -> Answer:
    for name in request.body or []:
        world.project(ref)["secrets"].pop(name, None)
    return 200, None


@route("POST", "/functions/v1/{ref}/{slug}")
def invoke(world: World, request: Request, ref: str, slug: str) -> Answer:
    """What a visitor does: 500 where the source throws, else a row in leads, whatever maintenance Render is in."""
    project, function = active(world, ref), _function(world, ref, slug)
    calls = function.setdefault("calls", [0, 0])
    calls[0] += 1
    if any(b"throw new Error" in base64.b64decode(content) for content in function["files"].values()):
        calls[1] += 1
        raise ApiError(500, "Internal Server Error")
    with psycopg.connect(world.server.dsn(project["database"], "sampelit_app"), connect_timeout=3) as connection:
        connection.execute(LEAD, [f"{uuid.uuid4().hex}@edge.example.org", "edge"])
    return 200, {"slug": slug, "version": function["version"]}


@route("GET", PROJECT + "/analytics/endpoints/functions.combined-stats")
def combined_stats(world: World, request: Request, ref: str) -> Answer:
    """Calls since the function was deployed, as one row; the real answer has one for each minute."""
    wanted = request.query.get("function_id", [""])[-1]
    for function in world.project(ref)["functions"].values():
        if function["id"] == wanted:
            requests, errors = function.get("calls", [0, 0])
            row = {"timestamp": stamp(now()), "requests_count": requests, "server_err_count": errors}
            return 200, {"result": [row]}
    return 200, {"result": []}


def first_functions(project: Json) -> None:
    """What the product's project has from the beginning; they lie beside this file as a person would have them."""
    for folder in sorted(path for path in FUNCTIONS.iterdir() if path.is_dir()):
        files = {path.name: path.read_bytes() for path in sorted(folder.glob("*.ts"))}
        metadata = {"entrypoint_path": "index.ts", "verify_jwt": False}
        project["functions"][folder.name] = _deployed(None, folder.name, metadata, files)
    project["secrets"]["MAIL_KEY"] = {"name": "MAIL_KEY", "value": "0" * 64, "updated_at": project["created_at"]}


def _function(world: World, ref: str, slug: str) -> Json:
    function = world.project(ref)["functions"].get(slug)
    if not isinstance(function, dict):
        raise ApiError(404, f"Function not found: {slug}")
    return function


def _deployed(before: Json | None, slug: str, metadata: Json, files: dict[str, bytes]) -> Json:
    digest, at = hashlib.sha256(), int(now().timestamp() * 1000)
    for path in sorted(files):
        digest.update(path.encode() + b"\0" + files[path] + b"\0")
    return {
        "id": before["id"] if before else str(uuid.uuid4()),
        "slug": slug,
        "name": metadata.get("name") or slug,
        "status": "ACTIVE",
        "version": before["version"] + 1 if before else 1,
        "created_at": before["created_at"] if before else at,
        "updated_at": at,
        "verify_jwt": bool(metadata.get("verify_jwt", True)),
        "entrypoint_path": metadata["entrypoint_path"],
        "ezbr_sha256": digest.hexdigest(),
        "files": {path: base64.b64encode(content).decode() for path, content in files.items()},
    }


def _parts(content_type: str, content: bytes) -> list[tuple[str, str, bytes]]:
    """(name, file name, content) of each part of a multipart/form-data body, in order."""
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + content)
    parsed = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        parsed.append((str(name or ""), str(part.get_filename() or ""), payload if isinstance(payload, bytes) else b""))
    return parsed
