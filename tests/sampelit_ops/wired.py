"""What test_wiring.py expects in every registry but the kinds (wired_kinds.py), in the words of `tests.wiring`."""

from __future__ import annotations

WIRING: dict[str, str] = {
    "guards": """
deployments.autodeploy: not_the_portal
deployments.cancel: not_the_portal
deployments.cancel_cron: not_the_portal
deployments.delete_group_variable: not_the_portal
deployments.delete_preview: not_the_portal
deployments.delete_secret_file: not_the_portal
deployments.delete_variable: not_the_portal
deployments.deploy: not_the_portal refuse
deployments.health_path: not_the_portal
deployments.job: not_the_portal
deployments.keep_preview: not_the_portal
deployments.link_group: not_the_portal
deployments.maintenance: not_the_portal
deployments.move_route: not_the_portal
deployments.purge_cache: not_the_portal
deployments.restart: not_the_portal
deployments.resume: not_the_portal
deployments.rollback: not_the_portal
deployments.run_cron: not_the_portal
deployments.scale: not_the_portal
deployments.set_group_variable: not_the_portal
deployments.set_secret_file: not_the_portal
deployments.set_variable: not_the_portal
deployments.source: not_the_portal
deployments.suspend: not_the_portal
deployments.unlink_group: not_the_portal
deployments.verify_domain: not_the_portal
""",
    "consequences": """
backups.provider_pitr: by_a_restore(backups.provider_pitr)
backups.provider_restore: by_a_restore(backups.provider_restore)
deployments.deploy: tell
deployments.rollback: by_a_rollback
migrations.apply: told_before
""",
    "named steps": """
maintenance_off: maintenance_off maintenance_off urgent 300/120 s undoes maintenance_on
maintenance_on: maintenance_on maintenance_on urgent 300/120 s
""",
    "periodic jobs": """
advisories 86400 s: look
approvals.reevaluate 30 s: reevaluate
backups.checkpoints 60 s: keep
backups.incidents 300 s: remind
backups.overdue 60 s: keep
backups.portal 3600 s: keep
backups.provider 600 s: sync_all
backups.retention 86400 s: keep_retention
backups.schedule 15 s: run_due
backups.scratch 3600 s: keep_scratch
backups.second_store 60 s: catch_up
backups.store_reports 600 s: keep_reports
backups.sweep 3600 s: sweep_default_store
backups.witness 600 s: keep
deadman 60 s: ping
deployments.bundles 86400 s: let_bundles_go
deployments.drift 60 s: compare_all
deployments.events 60 s: read_events
deployments.functions 300 s: read_functions
deployments.health 10 s: probe_health
deployments.network 600 s: read_networks
deployments.poll 30 s: poll_render
deployments.previews 300 s: end_previews
deployments.reconcile 600 s: reconcile_webhooks
deployments.variables 900 s: read_variables
deployments.watchdog 30 s: lift_maintenance
deployments.webhooks 1 s: process_waiting
deployments.workspace 900 s: read_workspace
doctor 3600 s: round_of_checks
forms 86400 s: forget
ledger.stream 5 s: send_due
ledger.verify 3600 s: watch
migrations_registry.changed 10 s: refresh_changed
migrations_registry.commits 1 s: read_wanted
migrations_registry.drift 3600 s: hourly
migrations_registry.readings 300 s: refresh_all
migrations_registry.rehearsals 10 s: rehearse_requests
migrations_registry.repositories 3600 s: look_at_repositories
migrations_registry.uploads 3600 s: let_go_of_old
notify 10 s: _round
operations.authority_key 60 s: publish
operations.break_glass 10 s: return_lapsed_break_glass
operations.expire 10 s: expire_old_requests
operations.sealed 60 s: erase_old
outsiders 86400 s: read_all
signin.leavers 3600 s: end_stale
""",
    "transport": """
send
""",
    "forks of a worker": """
before: _remember
after_in_child: _die_with_parent
""",
    "home panels": """
10 health
20 live
30 newest_proven_backup
40 waits_for_approval
45 backup_schedule
46 altered
47 unbacked
48 kept_nowhere
50 schema_drift
55 late_failed_altered
60 doctor
""",
    "home widgets": """
10 backups_card
""",
    "sidebar": """
Overview 0 Overview: admin:index -
Deployments 10 Deployments: admin:deployments_deployment_changelist deployments.view_deployment
Deployments 12 Services: admin:deployments_service_changelist deployments.view_service
Deployments 14 Edge functions: admin:deployments_edgefunction_changelist deployments.view_edgefunction
Migrations 20 Migrations: admin:migrations_registry_migrationfile_changelist migrations_registry.view_migrationfile
Migrations 22 By environment: admin:migrations_status migrations_registry.view_migrationfile
Migrations 25 Drift: admin:migrations_registry_driftincident_changelist migrations_registry.view_driftincident
Backups 30 Backups: admin:backups_run_changelist backups.view_run
Backups 31 Policies: admin:backups_policy_changelist backups.view_policy
Backups 32 Stores: admin:backups_storereport_changelist backups.view_storereport
Backups 35 Recover: admin:recover backups.view_run
Backups 36 Legal holds: admin:backups_hold_changelist backups.view_hold
Backups 38 Evidence: admin:backups_evidencereport_changelist backups.view_evidencereport
Approvals 50 Approvals: admin:approvals operations.view_operation counts waiting
Approvals 60 Tasks: admin:operations_task_changelist operations.view_task counts open_tasks
Activity 70 Timeline: admin:ledger_entry_changelist ledger.view_entry
Activity 72 Operations: admin:operations_operation_changelist operations.view_operation
Health 80 Doctor: admin:doctor operations.view_heartbeat counts red_findings
Health 84 Incidents: admin:backups_incident_changelist backups.view_incident
Health 86 Advisors: admin:deployments_advisorfinding_changelist deployments.view_advisorfinding
Health 99 Accidents: admin:demo_alarms operations.change_environment
Settings 90 Environments: admin:operations_environment_changelist operations.view_environment
Settings 100 People: admin:auth_user_changelist auth.view_user
Settings 102 Tokens: admin:operations_accesstoken_changelist auth.change_user
Settings 110 All records: admin:records -
""",
    "user menu": """
Second factor: account:second_factor
Sessions: account:sessions
Personal tokens: account:tokens
""",
    "set-up": """
50 supabase: steps discover
""",
    "template tags": """
ops.asking ops.badge ops.duration ops.empty_state ops.exactly ops.fold ops.form_key ops.here ops.labelled
ops.list_is_empty ops.mails ops.may_somewhere ops.named ops.number ops.request_command ops.runbook ops.selected_choice
ops.size ops.step_tone ops.timeline_of ops.tone ops.way ops.when ops.words
""",
    "admin": """
auth.User=PersonAdmin backups.EvidenceReport=EvidenceReportAdmin backups.Hold=HoldAdmin
backups.Incident=IncidentAdmin backups.Policy=PolicyAdmin backups.Proof=ProofAdmin backups.Restore=RestoreAdmin
backups.Run=RunAdmin backups.Slot=SlotAdmin backups.StoreReport=StoreReportAdmin
deployments.AdvisorFinding=AdvisorFindingAdmin deployments.ConfigFingerprint=ConfigFingerprintAdmin
deployments.Deployment=DeploymentAdmin deployments.EdgeFunction=EdgeFunctionAdmin
deployments.EdgeSecret=EdgeSecretAdmin deployments.FunctionBundle=FunctionBundleAdmin
deployments.HealthCheck=HealthCheckAdmin deployments.Service=ServiceAdmin
deployments.WebhookDelivery=WebhookDeliveryAdmin django_q.Failure=FinishedAdmin django_q.OrmQ=WaitingAdmin
django_q.Schedule=ScheduleAdmin django_q.Success=FinishedAdmin ledger.Entry=EntryAdmin
migrations_registry.Application=ApplicationAdmin migrations_registry.DriftIncident=DriftIncidentAdmin
migrations_registry.Finding=FindingAdmin migrations_registry.MigrationFile=MigrationFileAdmin
migrations_registry.Plan=PlanAdmin migrations_registry.RulePolicy=RulePolicyAdmin
migrations_registry.Waiver=WaiverAdmin operations.AccessToken=AccessTokenAdmin operations.Environment=EnvironmentAdmin
operations.Heartbeat=HeartbeatAdmin operations.Notification=NotificationAdmin
operations.Operation=OperationAdmin operations.Task=TaskAdmin
""",
    "doctor": """
altered_data approvers authority_key backup_keys backup_place backup_proofs backup_room backup_slots
backup_source backup_stores blueprints clock clocks collector copies coverage databases environment_rows
factor_key factors_at_rest fingerprints identities known_fixes last_witness ledger ledger_checkpoints
ledger_owner mail migration_history migrations new_approvers outbox outsiders passkey_votes periodic_jobs places
plan_memory planned_maintenance portal_copy portal_database reach refused render render_recovery repositories requests
retention second_factors secrets services sign_on slack store supabase supabase_functions ticker tokens troubles
unknown_words variables votes webhook webhooks_of_workspaces workers
""",
    "messages of the queue": """
operations.worker.messages
operations.worker.messages
""",
    "anchor sources": """
_checkpoints
_in_the_store
_manifests
""",
    "listeners of the verification": """
note_verification
""",
    "incident sources": """
drift
""",
    "ledger sentences": """
backups.decision.traced backups.evidence.produced backups.export.failed backups.export.proven
backups.export.proven_in_part backups.export.stored backups.export.suspect
backups.hold.placed backups.hold.released backups.incident.opened
backups.incident.resolved backups.policy.added backups.policy.changed backups.policy.database_accepted
backups.portal.recovered backups.provider.back
backups.provider.gone backups.provider.not_restored backups.provider.point
backups.provider.restored backups.restore.failed backups.restore.looked_after backups.restore.succeeded
backups.run.brought_back backups.run.downloaded
backups.run.mirrored backups.run.purged backups.runs.retired backups.slot.acknowledged backups.slot.missed
backups.store.probed backups.witness.sent demo.accident.provoked demo.accident.put_back
deployments.another_content deployments.back
deployments.blueprint_read deployments.bundle_kept deployments.bundle_removed deployments.canceled
deployments.deploy_gone
deployments.failed deployments.finding_ignored deployments.finding_reopened deployments.findings_changed
deployments.function_live deployments.function_removed deployments.gone deployments.healthy deployments.history_read
deployments.live deployments.maintenance_lifted deployments.odd_order deployments.runs_portal deployments.service_back
deployments.service_removed deployments.settings_changed deployments.started
deployments.unhealthy ledger.authority_key_published ledger.exported ledger.verified migrations_registry.applied
migrations_registry.baseline.made migrations_registry.drift.first_seen migrations_registry.drift.found
migrations_registry.drift.resolved migrations_registry.files.registered migrations_registry.history.marked
migrations_registry.more_than_approved migrations_registry.not_applied
migrations_registry.policy.changed migrations_registry.rehearsal.waived migrations_registry.rehearsed
migrations_registry.undone migrations_registry.waiver.approved
migrations_registry.waiver.proposed operations.approval_revoked operations.approved
operations.approver_confirmed operations.break_glass
operations.break_glass_lapsed operations.cancel_requested operations.cancelled operations.environment.added
operations.environment.changed operations.environment.identified operations.environment.reached
operations.environment.rebound
operations.expired operations.failed operations.noted operations.projects_gone operations.refused operations.rejected
operations.requested operations.requests_known operations.succeeded operations.task.closed operations.told
operations.voters_known
operations.votes_missing
sampelit_ops.outsiders.attested signin.app_removed signin.contact_changed signin.details_changed signin.first_admin
signin.groups_stale
signin.identity_linked signin.invited signin.link_sent signin.link_shown signin.locked signin.passkey_added
signin.passkey_copied
signin.passkey_known signin.passkey_removed signin.passkey_renamed signin.password_changed
signin.password_set signin.provisioned signin.recovery_code_used signin.recovery_codes_made
signin.role_given signin.role_taken
signin.roles_changed signin.second_factor_enrolled
signin.second_factor_removed signin.sessions_ended signin.signed_in signin.signed_out
signin.stepped_up signin.token_created signin.token_revoked
signin.token_used signin.tokens_revoked signin.user_activated signin.user_deactivated
""",
    "system checks": """
demo_database_is_ours: database
factors_are_for_somebody: security
portal_database_is_ours: database
secret_key_is_strong: security
secrets_are_set: security
sign_on_is_whole: security
switches_are_safe: security
""",
}
