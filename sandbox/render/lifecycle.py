"""How deploys live: queued, build, pre-deploy, update (blue/green, waits for /health), live; or failed, or cancelled.

`settle(world)` moves everything to where it is now; it is called before every answer and by the server's ticker.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sandbox.render.world import Json, World

MOVING = ("created", "queued", "build_in_progress", "pre_deploy_in_progress", "update_in_progress")
FAILS = {
    "build": ("build_in_progress", "build_failed", "buildFailed"),
    "pre_deploy": ("pre_deploy_in_progress", "pre_deploy_failed", "preDeployFailed"),
    "update": ("update_in_progress", "update_failed", "nonZeroExit"),
    "unhealthy": ("update_in_progress", "update_failed", "unhealthy"),
}


def start(
    world: World,
    service: str,
    *,
    trigger: str,
    commit: Json,
    behaviour: str = "",
    skip_build: bool = False,
    user: str = "",
) -> Json:
    """A new deploy, queued behind a running one of the same service."""
    wanted = ["update_in_progress"]
    if not skip_build:
        pre = world.services[service].get("serviceDetails", {}).get("envSpecificDetails", {}).get("preDeployCommand")
        wanted = ["build_in_progress", *(["pre_deploy_in_progress"] if pre else []), *wanted]
    if world.services[service]["type"] == "static_site":
        wanted = [phase for phase in wanted if phase != "pre_deploy_in_progress"]
    now = world.stamp()
    deploy = {
        "id": world.new_id("dep"),
        "status": "created",
        "trigger": trigger,
        "commit": {k: commit[k] for k in ("id", "message", "createdAt")},
        "createdAt": now,
        "updatedAt": now,
        "_phases": wanted,
        "_since": now,
        "_user": user,
        "_behaviour": behaviour or world.next_failures.pop(service, "") or commit.get("_behaviour", ""),
    }
    world.deploys[service].append(deploy)
    settle(world)
    return deploy


def busy(world: World, service: str) -> bool:
    return any(deploy["status"] in MOVING for deploy in world.deploys[service])


def settle(world: World) -> None:
    """Advances every moving deploy and job to the present; a service builds one deploy at a time, oldest first."""
    for service, deploys in world.deploys.items():
        for deploy in [deploy for deploy in deploys if deploy["status"] in MOVING]:
            while _step(world, service, deploy):
                pass
            if deploy["status"] in MOVING:
                _queue_behind(world, deploys, deploy)
                break
        _settle_jobs(world, service)


def _queue_behind(world: World, deploys: list[Json], running: Json) -> None:
    for waiting in deploys:
        if waiting is not running and waiting["status"] == "created":
            waiting["status"] = "queued"
            world.touch(waiting)


def _step(world: World, service: str, deploy: Json) -> bool:
    """One transition if its time has come; True when there may be another."""
    if deploy["status"] in ("created", "queued"):
        _begin(world, service, deploy, world.now())
        return True
    phase = deploy["status"]
    ends = datetime.fromisoformat(deploy["_since"]) + timedelta(seconds=world.phases.get(phase, 1.0))
    if phase not in MOVING or world.now() < ends:
        return False
    failing, failed, reason = FAILS.get(deploy["_behaviour"], ("", "", ""))
    if phase == failing:
        finish(world, service, deploy, failed, ends, reason)
    elif deploy["_phases"]:
        _enter(world, service, deploy, deploy["_phases"].pop(0), ends)
    else:
        _go_live(world, service, deploy, ends)
    return deploy["status"] in MOVING


def _begin(world: World, service: str, deploy: Json, at: datetime) -> None:
    deploy["startedAt"] = world.stamp(at)
    details = {"deployId": deploy["id"], "trigger": trigger_details(world, deploy)}
    world.event(service, "deploy_started", details, at)
    _enter(world, service, deploy, deploy["_phases"].pop(0), at)


def trigger_details(world: World, deploy: Json) -> Json:
    """Why it runs, as an event tells it: with the user where a person pressed the button."""
    names = ("firstBuild", "envUpdated", "deployedByRender", "clearCache")
    trigger: Json = dict.fromkeys(names, False)
    trigger |= {"manual": deploy["trigger"] == "manual", "rollback": deploy["trigger"] == "rollback"}
    if deploy["trigger"] == "new_commit":
        trigger["newCommit"] = deploy["commit"]["id"]
    if deploy["_user"]:
        trigger["user"] = {"id": world.new_id("usr", deploy["_user"]), "email": deploy["_user"]}
    return trigger


def _enter(world: World, service: str, deploy: Json, phase: str, at: datetime) -> None:
    deploy["status"], deploy["_since"] = phase, world.stamp(at)
    deploy["updatedAt"] = world.stamp(at)
    details = {
        "build_in_progress": f"==> Checking out commit {deploy['commit']['id']} in branch main",
        "pre_deploy_in_progress": "==> Starting pre-deploy: alembic upgrade head",
        "update_in_progress": "==> Deploying... waiting for /health on the new instance",
    }
    world.log(service, details.get(phase, phase), "build", at=at)


def _go_live(world: World, service: str, deploy: Json, at: datetime) -> None:
    """The switch: the new instance answers /health, so the old deploy is superseded in the same moment."""
    for other in world.deploys[service]:
        if other["status"] == "live":
            other["status"], other["updatedAt"] = "deactivated", world.stamp(at)
    finish(world, service, deploy, "live", at, "")
    world.log(service, "==> Your service is live", "build", at=at)
    world.event(service, "server_available", {}, at)


def finish(world: World, service: str, deploy: Json, status: str, at: datetime, reason: str) -> None:
    outcome = {"live": "succeeded", "canceled": "canceled"}.get(status, "failed")
    deploy["status"], deploy["finishedAt"], deploy["updatedAt"] = status, world.stamp(at), world.stamp(at)
    details: Json = {"deployId": deploy["id"], "deployStatus": outcome, "status": 2 + (outcome != "succeeded")}
    details["reason"] = _reason(reason)
    if reason:
        world.log(service, f"==> Deploy failed: {reason}", "build", "error", at)
    world.event(service, "deploy_ended", details, at)


def _reason(reason: str) -> Json:
    if reason == "buildFailed":
        return {"buildFailed": {"id": "bld-failed"}}
    if reason == "unhealthy":
        return {"failure": {"evicted": False, "unhealthy": "HTTP health check failed"}}
    return {"failure": {"evicted": False, "nonZeroExit": 1}} if reason else {}


def _settle_jobs(world: World, service: str) -> None:
    for job in world.jobs[service]:
        age = (world.now() - datetime.fromisoformat(job["createdAt"])).total_seconds()
        if job["status"] == "pending" and age > 0.5:
            job["status"], job["startedAt"] = "running", world.stamp()
        if job["status"] == "running" and age > 2.0:
            failed = "exit 1" in job["startCommand"] or "false" in job["startCommand"].split()
            job["status"], job["finishedAt"] = ("failed" if failed else "succeeded"), world.stamp()
            world.log(service, f"[{job['id']}] $ {job['startCommand']}", "job")
            world.log(service, f"[{job['id']}] exited with status {int(failed)}", "job", "error" if failed else "info")
