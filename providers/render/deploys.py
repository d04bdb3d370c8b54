"""Deploys, rollback, one-off jobs, runs of cron jobs. Render has no idempotency keys: each write is sent once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from providers.http.part import Part
from providers.http.shapes import part, text
from providers.render.models import Deploy, about
from providers.render.paging import PAGE, at, pages, pages_after, things
from providers.render.records import CronRun, Job


class Deploys(Part):
    def pages(
        self,
        service: str,
        *,
        created_after: datetime | None = None,
        updated_after: datetime | None = None,
        limit: int = PAGE,
    ) -> Iterator[list[Deploy]]:
        """Pages of deploys, newest first."""
        path = at("services", service, "deploys")
        batches = pages(self._http, path, "deploy", limit, createdAfter=created_after, updatedAfter=updated_after)
        for page in batches:
            yield [deploy for data in page if (deploy := Deploy.parse(part(data))).id]

    def history(self, service: str, after: str = "") -> Iterator[tuple[list[Deploy], str]]:
        """Pages from a cursor on, newest first, each with the cursor behind it, which is empty at the end.

        Raises Rejected for a cursor that Render no longer takes."""
        for page, cursor in pages_after(self._http, at("services", service, "deploys"), "deploy", after):
            yield [deploy for data in page if (deploy := Deploy.parse(part(data))).id], cursor

    def get(self, service: str, deploy: str) -> Deploy:
        return Deploy.parse(about(deploy, self._http.get(at("services", service, "deploys", deploy))))

    def create(self, service: str, *, commit: str | None = None, clear_cache: bool = False) -> Deploy | None:
        """Starts a deploy; None when Render only says that it is queued (202 without a body: look it up).

        Raises UnknownOutcome when the answer was lost: look for it in the list, do not send it again."""
        body = {"clearCache": "clear" if clear_cache else "do_not_clear"} | ({"commitId": commit} if commit else {})
        answer = self._http.send("POST", at("services", service, "deploys"), body=body)
        return _named(answer)

    def cancel(self, service: str, deploy: str) -> Deploy | None:
        answer = self._http.send("POST", at("services", service, "deploys", deploy, "cancel"))
        return _named(answer)

    def rollback(self, service: str, deploy: str) -> Deploy | None:
        """A new deploy of an old build. Render's API leaves autodeploy on (render.com/docs/rollbacks)."""
        answer = self._http.send("POST", at("services", service, "rollback"), body={"deployId": deploy})
        return _named(answer)


def _named(answer: object) -> Deploy | None:
    """The deploy that a write answered; None where the answer names none, so that it is looked up."""
    deploy = Deploy.parse(part(answer))
    return deploy if deploy.id else None


class Jobs(Part):
    def list(self, service: str, *, created_after: datetime | None = None) -> Iterator[Job]:
        for page in pages(self._http, at("services", service, "jobs"), "job", createdAfter=created_after):
            yield from (Job.parse(data) for data in page)

    def get(self, service: str, job: str) -> Job:
        return Job.parse(about(job, self._http.get(at("services", service, "jobs", job))))

    def create(self, service: str, command: str) -> Job | None:
        """None where the answer names no job: look it up."""
        answer = part(self._http.send("POST", at("services", service, "jobs"), body={"startCommand": command}))
        return Job.parse(answer) if answer.get("id") else None


class CronRuns(Part):
    """Runs of a cron job; Render lists none, so that they are found by the events of their beginning and end."""

    def begun(self, cron_job: str) -> Iterator[CronRun]:
        return self._events(cron_job, "cron_job_run_started")

    def ended(self, cron_job: str) -> Iterator[CronRun]:
        return self._events(cron_job, "cron_job_run_ended")

    def _events(self, cron_job: str, kind: str) -> Iterator[CronRun]:
        for data in things(self._http, at("services", cron_job, "events"), "event", type=kind):
            details = part(data.get("details"))
            yield CronRun(text(details.get("cronJobRunId")), text(details.get("status")))

    def start(self, cron_job: str) -> CronRun | None:
        """Outside of its schedule; None where the answer names no run. Render cancels one that is under way."""
        answer = part(self._http.send("POST", at("cron-jobs", cron_job, "runs")))
        return CronRun(text(answer.get("id")), text(answer.get("status"))) if answer.get("id") else None

    def cancel(self, cron_job: str) -> None:
        """Whatever runs now."""
        self._http.send("DELETE", at("cron-jobs", cron_job, "runs"))
