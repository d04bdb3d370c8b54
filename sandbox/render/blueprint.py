"""A small honest check of a render.yaml: what Render refuses most often, with the line it is on."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from sandbox.render.routing import Request
from sandbox.render.world import ApiError, Json

SERVICE_TYPES = ("web", "pserv", "worker", "cron", "static", "keyvalue", "redis")


def check(request: Request) -> Json:
    """`{valid, errors, plan}`. Raises ApiError 400 where the multipart form lacks a field."""
    content = _file(request)
    try:
        import yaml
    except ModuleNotFoundError:
        return _textual(content)
    try:
        parsed = yaml.safe_load(content)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return {"valid": False, "errors": [{"error": "invalid YAML"} | ({"line": mark.line + 1} if mark else {})]}
    return _judge(parsed)


def _file(request: Request) -> bytes:
    head = f"Content-Type: {request.content_type}\r\n\r\n".encode()
    parts: dict[str, bytes] = {}
    for piece in BytesParser(policy=HTTP).parsebytes(head + request.content).iter_parts():
        name = piece.get_param("name", header="content-disposition")
        payload = piece.get_payload(decode=True)
        if isinstance(name, str) and isinstance(payload, bytes):
            parts[name] = payload
    if not parts.get("ownerId") or "file" not in parts:
        raise ApiError(400, "ownerId and file are required")
    return parts["file"]


def _textual(content: bytes) -> Json:
    valid = b"services:" in content
    return {"valid": valid} | ({} if valid else {"errors": [{"path": "services", "error": "services is missing"}]})


def _judge(parsed: Any) -> Json:
    services = parsed.get("services") if isinstance(parsed, dict) else None
    if not isinstance(services, list):
        return {"valid": False, "errors": [{"path": "services", "error": "services must be a list"}]}
    errors, names = [], []
    for number, service in enumerate(services):
        path = f"services[{number}]"
        if not isinstance(service, dict) or not service.get("name"):
            errors.append({"path": f"{path}.name", "error": "name is required"})
            continue
        if service.get("type") not in SERVICE_TYPES:
            errors.append({"path": f"{path}.type", "error": f"unknown type {service.get('type')}"})
        if service["name"] in names:
            errors.append({"path": f"{path}.name", "error": f"{service['name']} is used twice"})
        names.append(str(service["name"]))
    if errors:
        return {"valid": False, "errors": errors}
    return {"valid": True, "errors": [], "plan": {"services": names, "databases": [], "totalActions": len(names)}}
