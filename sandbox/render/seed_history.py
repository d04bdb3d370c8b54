"""What happened to a seeded service before today: a deploy a commit, and the log of the newest."""

from __future__ import annotations

from datetime import datetime, timedelta

from sandbox.render.lifecycle import trigger_details
from sandbox.render.world import Json, World


def _history(world: World, service: str) -> None:
    """One deploy a commit; the fourth newest failed to build, the newest is live."""
    commits = world.commits[world.services[service]["branch"]]
    for number, commit in enumerate(commits):
        last, failed = number == len(commits) - 1, number == len(commits) - 4
        begun = world.now() - timedelta(days=len(commits) - number - 1, hours=2, minutes=number)
        took = timedelta(seconds=24 if failed else 150 + 7 * (number % 5))
        status = "live" if last else "build_failed" if failed else "deactivated"
        by_hand = world.services[service]["autoDeploy"] == "no"
        deploy = {
            "id": world.new_id("dep", service + commit["id"]),
            "commit": dict(commit),
            "status": status,
            "trigger": "manual" if by_hand else "new_commit",
            "createdAt": world.stamp(begun),
            "startedAt": world.stamp(begun),
            "finishedAt": world.stamp(begun + took),
            "updatedAt": world.stamp(begun + took),
            "_phases": [],
            "_since": world.stamp(begun),
            "_behaviour": "",
            "_user": "alfonso@sampelit.example" if by_hand else "",
        }
        world.deploys[service].append(deploy)
        trigger = trigger_details(world, deploy)
        world.event(service, "deploy_started", {"deployId": deploy["id"], "trigger": trigger}, begun, send=False)
        ended = {
            "deployId": deploy["id"],
            "deployStatus": "failed" if failed else "succeeded",
            "status": 2 + failed,
            "reason": {},
        }
        world.event(service, "deploy_ended", ended, begun + took, send=False)
        if number >= len(commits) - 4:
            _log(world, service, commit, begun, took, failed)


def _log(world: World, service: str, commit: Json, begun: datetime, took: timedelta, failed: bool) -> None:
    """The lines that Render's dashboard would show of a deploy."""
    lines = [
        f"==> Cloning from {world.services[service]['repo']}",
        f"==> Checking out commit {commit['id']} in branch main",
        "==> Running build command 'pip install -r requirements.txt'...",
        "Collecting fastapi==0.115.4",
    ]
    if failed:
        lines += ["ERROR: No matching distribution found for asyncpg==0.99", "==> Build failed"]
    else:
        lines += [
            "==> Build successful",
            "==> Deploying...",
            "INFO: Uvicorn running on http://0.0.0.0:10000",
            "==> Your service is live",
        ]
    for number, line in enumerate(lines):
        level = "error" if line.startswith("ERROR") else "info"
        world.log(service, line, "build", level, begun + took * (number / len(lines)))
