"""The kinds of operations and their steps that test_wiring.py expects, in the words of `tests.wiring`."""

from __future__ import annotations

KINDS = """
backups.after_restore AfterRestoreKind backups.request_restore routine restore:{environment}:{target}
  connects restore
  look look prove 3600/120 s
backups.drop_scratch DropScratchKind backups.request_restore routine scratch:{restore}
  drop drop prove 3600/120 s
backups.evidence Evidence backups.produce_evidencereport routine -
  report write_report export 3600/1800 s
backups.export ExportKind backups.request_export routine backup:{environment}:{policy} protects
  connects export
  copy copy export 21600/600 s
  prove prove_step prove 21600/600 s
  settle settle export 3600/120 s always
backups.place_hold PlaceHold backups.place_hold routine hold:{run} reason step-up protects
  place place urgent 3600/120 s
backups.provider_pitr ProviderPitr backups.request_restore destructive schema:{environment} protects
  connects export project
  check check export 300/120 s
  maintenance_on by name
  drain drain export 3600/120 s
  present_copy copy export 43200/1800 s
  present_prove prove prove 43200/1800 s
  provider_restore ask export 900/300 s
  watch watch export 43200/1800 s
  verify check_restored export 43200/1800 s
  maintenance_off by name always undoes maintenance_on
  record write_down export 3600/120 s
  settle settle export 3600/120 s always
backups.provider_restore ProviderRestore backups.request_restore destructive schema:{environment} protects
  connects export project
  check check export 300/120 s
  maintenance_on by name
  drain drain export 3600/120 s
  present_copy copy export 43200/1800 s
  present_prove prove prove 43200/1800 s
  provider_restore ask export 900/300 s
  watch watch export 43200/1800 s
  verify check_restored export 43200/1800 s
  maintenance_off by name always undoes maintenance_on
  record write_down export 3600/120 s
  settle settle export 3600/120 s always
backups.provider_restore_point RestorePointKind backups.request_export routine point:{environment} protects
  connects export project
  mark mark export 900/120 s
  copy copy export 21600/600 s
  prove prove prove 21600/600 s
  record write_down export 3600/120 s
  settle settle export 3600/120 s always
backups.provider_resume ResumeProject backups.request_restore routine project:{environment} restores
  connects project
  resume wake urgent 3600/600 s
backups.purge PurgeKind backups.apply_retention routine retention:{environment}:{policy} step-up
  purge purge prove 21600/600 s
backups.release_hold ReleaseHold backups.release_hold sensitive release:{hold} reason step-up
  release release urgent 3600/120 s
backups.resolve_incident ResolveIncident backups.resolve_incident sensitive incident:{incident} reason step-up
  resolve resolve urgent 3600/120 s
backups.restore RestoreKind backups.request_restore routine restore:{environment}:{target} protects
  connects export restore
  check check prove 21600/600 s
  maintenance_on maintenance_on urgent 3600/120 s
  drain drain export 3600/120 s
  present_copy present_copy export 21600/600 s
  present_prove present_prove prove 21600/600 s
  load load prove 21600/600 s
  maintenance_off maintenance_off urgent 3600/120 s always undoes maintenance_on
  settle settle export 3600/120 s always
backups.retire RetireKind backups.apply_retention routine retention:{environment}:{policy} step-up
  retire retire export 21600/600 s
backups.trace_decision TraceDecision backups.produce_evidencereport routine trace:{environment}
  trace trace_decision prove 21600/600 s
backups.unretire UnretireKind backups.apply_retention routine unretire:{run} protects
  bring_back bring_back export 3600/120 s
backups.verify VerifyKind backups.verify_run routine verify:{run} protects
  prove verify prove 21600/600 s
deployments.allow_render AllowRender deployments.configure sensitive network:{environment}
  connects project
  allow allow deploy 3600/120 s
deployments.autodeploy Autodeploy deployments.deploy routine service:{service}
  autodeploy autodeploy deploy 3600/120 s
deployments.cancel Cancel deployments.deploy routine cancel:{deployment} restores
  cancel cancel urgent 3600/120 s
deployments.cancel_cron CancelCron deployments.configure routine cancel:{service} restores
  cancel cancel urgent 3600/120 s
deployments.check_upgrade CheckUpgrade deployments.maintain routine upgrade:{environment}
  connects project
  check check deploy 3600/120 s
deployments.delete_group_variable DeleteGroupVariable deployments.configure sensitive group:{group}
  delete delete_variable deploy 3600/120 s
deployments.delete_preview DeletePreview deployments.configure sensitive service:{service}
  delete delete_preview deploy 3600/120 s
deployments.delete_secret_file DeleteSecretFile deployments.configure sensitive service:{service}
  delete delete_file deploy 3600/120 s
deployments.delete_variable DeleteVariable deployments.configure sensitive service:{service}
  delete delete_variable deploy 3600/120 s
deployments.deploy Deploy deployments.deploy sensitive service:{service} no-freeze
  send send deploy 3600/120 s
  watch watch deploy 3600/120 s
  health confirm deploy 3600/120 s
deployments.export_database ExportDatabase deployments.maintain routine database:{database} everywhere
  export export deploy 3600/600 s
deployments.follow_environment FollowEnvironment deployments.change_service sensitive service:{service}
  follow follow deploy 3600/120 s
deployments.function_delete FunctionDelete deployments.deploy sensitive function:{environment}/{function}
  connects project
  keep keep_live deploy 3600/120 s
  delete delete deploy 3600/120 s
deployments.function_deploy FunctionDeploy deployments.deploy sensitive function:{environment}/{function} no-freeze
  connects project
  keep keep_live deploy 3600/120 s
  send send_files deploy 3600/120 s
  confirm confirm deploy 3600/120 s
deployments.function_rollback FunctionRollback deployments.rollback routine function:{environment}/{function} restores
  connects project
  keep keep_live urgent 3600/120 s
  send send_back urgent 3600/120 s
  confirm confirm urgent 3600/120 s
deployments.function_secret_delete DeleteSecret deployments.configure sensitive secret:{environment}/{name}
  connects project
  delete delete_secret deploy 3600/120 s
deployments.function_secret_set SetSecret deployments.configure sensitive secret:{environment}/{name}
  connects project
  set set_secret deploy 3600/120 s
deployments.health_path HealthPath deployments.deploy sensitive service:{service}
  health_path health_path deploy 3600/120 s
deployments.job RunJob deployments.configure sensitive job:{service}
  start start_job deploy 3600/120 s
  watch watch_job deploy 3600/120 s
deployments.keep_preview KeepPreview deployments.configure routine keep:{service}
  keep set_expiry deploy 3600/120 s
deployments.lift_read_only LiftReadOnly deployments.maintain routine read_only:{environment} restores
  connects project
  lift lift urgent 3600/120 s
deployments.link_group LinkGroup deployments.configure sensitive group:{group}
  link link deploy 3600/120 s
deployments.maintenance Maintenance deployments.maintain routine maintenance:{service} restores
  switch act urgent 3600/120 s
deployments.move_route MoveRoute deployments.configure sensitive service:{service}
  move move deploy 3600/120 s
deployments.purge_cache PurgeCache deployments.configure routine service:{service}
  purge purge deploy 3600/120 s
deployments.read_audit_log ReadAuditLog deployments.configure routine audit_log:{environment}
  read read deploy 600/120 s
deployments.read_blueprint ReadBlueprint deployments.configure routine blueprint:{environment}
  read read deploy 300/200 s
deployments.recover_database RecoverDatabase deployments.maintain sensitive database:{database} everywhere
  recover recover deploy 14400/1800 s
deployments.reschedule_maintenance RescheduleMaintenance deployments.maintain routine maintenance_run:{run} everywhere
  reschedule reschedule deploy 3600/120 s
deployments.restart Restart deployments.maintain routine restart:{service} restores
  restart restart urgent 3600/120 s
deployments.restart_database RestartDatabase deployments.maintain routine database:{database} restores everywhere
  restart restart urgent 3600/600 s
deployments.resume Resume deployments.maintain routine service:{service} restores
  resume resume urgent 3600/120 s
deployments.rollback Rollback deployments.rollback routine rollback:{service} restores
  autodeploy_off autodeploy_off urgent 3600/120 s
  send send urgent 3600/120 s
  watch watch urgent 3600/120 s
  health confirm urgent 3600/120 s
deployments.run_cron RunCron deployments.configure sensitive job:{service}
  start start deploy 3600/120 s
  watch watch deploy 43200/120 s
deployments.scale Scale deployments.maintain sensitive service:{service}
  scale scale deploy 3600/120 s
deployments.set_group_variable SetGroupVariable deployments.configure sensitive group:{group}
  set set_variable deploy 3600/120 s
deployments.set_secret_file SetSecretFile deployments.configure sensitive service:{service}
  set set_file deploy 3600/120 s
deployments.set_variable SetVariable deployments.configure sensitive service:{service}
  set set_variable deploy 3600/120 s
deployments.source Source deployments.deploy sensitive service:{service} no-freeze
  source source deploy 3600/120 s
deployments.start_maintenance StartMaintenance deployments.maintain sensitive maintenance_run:{run} everywhere
  begin begin deploy 3600/120 s
deployments.suspend Suspend deployments.maintain destructive service:{service}
  suspend suspend urgent 3600/120 s
deployments.unban Unban deployments.configure sensitive network:{environment}
  connects project
  unban unban urgent 3600/120 s
deployments.unlink_group UnlinkGroup deployments.configure sensitive group:{group}
  unlink unlink deploy 3600/120 s
deployments.verify_domain VerifyDomain deployments.configure routine domain:{service}
  verify verify deploy 3600/120 s
environments.add AddEnvironment operations.add_environment sensitive environments step-up
  add add urgent 120/120 s
environments.change ChangeEnvironment operations.change_environment from_plan environment:{environment} step-up protects
  change change urgent 120/120 s
environments.rebind RebindEnvironment operations.change_environment destructive schema:{environment} reason step-up
  rebind rebind export 120/120 s
migrations.apply ApplyMigration migrations_registry.apply_migrationfile from_plan schema:{environment} no-freeze
  connects export migration
  preflight preflight export 300/120 s
  maintenance_on maintenance_on urgent 300/120 s
  drain drain export 300/120 s
  restore_point_copy copy export 21600/14400 s
  restore_point_prove prove prove 21600/14400 s
  apply apply export 21600/14400 s
  verify verify export 300/120 s
  maintenance_off maintenance_off urgent 3600/120 s always undoes maintenance_on
  settle settle export 3600/120 s always undoes preflight
migrations.backfill Backfill migrations_registry.apply_migrationfile from_plan schema:{environment} no-freeze
  connects export migration
  preflight preflight export 300/120 s
  maintenance_on maintenance_on urgent 300/120 s
  drain drain export 300/120 s
  restore_point_copy copy export 21600/14400 s
  restore_point_prove prove prove 21600/14400 s
  backfill run_slice export 21600/600 s
  verify verify export 300/120 s
  maintenance_off maintenance_off urgent 3600/120 s always undoes maintenance_on
  settle settle export 3600/120 s always undoes preflight
migrations.baseline Baseline migrations_registry.baseline_stream sensitive schema:{environment}
  connects export migration
  write history observe_and_write export 300/120 s
migrations.change_rules ChangeRules migrations_registry.change_rules from_plan migration-rules everywhere step-up
  put in force put_in_force export 3600/120 s
migrations.look Look migrations_registry.look_historyreading routine history:{environment}
  connects export migration
  read read export 120/120 s
migrations.mark Mark migrations_registry.mark_historyreading from_plan schema:{environment}
  connects export migration
  write history write export 300/120 s
migrations.path ApplyPath migrations_registry.apply_migrationfile from_plan schema:{environment} no-freeze
  connects export migration
migrations.pause Pause migrations_registry.apply_migrationfile routine pause:{backfill}
  hold hold urgent 60/120 s
migrations.register Register migrations_registry.register_migrationfile routine register:{environment}
  read read deploy 1800/900 s
migrations.rehearse Rehearse migrations_registry.rehearse_migrationfile routine rehearse:{environment}
  connects export
  prepare look export 300/120 s
  rehearse run_on_a_copy prove 21600/14400 s
migrations.undo Undo migrations_registry.undo_application destructive schema:{environment} no-freeze
  connects export restore
  bring back bring_back prove 21600/14400 s
rehearsal.destructive Rehearsal operations.run_rehearsal destructive rehearsal:{environment}:{key}
  prepare prepare export 3600/120 s
  work work export 3600/30 s
  tidy tidy export 3600/120 s always undoes prepare
rehearsal.routine Rehearsal operations.run_rehearsal routine rehearsal:{environment}:{key}
  prepare prepare export 3600/120 s
  work work export 3600/30 s
  tidy tidy export 3600/120 s always undoes prepare
rehearsal.sensitive Rehearsal operations.run_rehearsal sensitive rehearsal:{environment}:{key}
  prepare prepare export 3600/120 s
  work work export 3600/30 s
  tidy tidy export 3600/120 s always undoes prepare
rehearsal.urgent Rehearsal operations.run_rehearsal routine rehearsal:{environment}:{key}
  prepare prepare urgent 3600/120 s
  work work urgent 3600/30 s
  tidy tidy urgent 3600/120 s always undoes prepare
"""
