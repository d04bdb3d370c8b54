"""What an examination of apply, history and drift found wrong, each with the test that holds it now."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FINDINGS = {
    "a committed step is applied twice": "migrations_registry/test_committed_once.py::test_what_was_committed_is_not_",
    "a promised restore point is not made": "migrations_registry/test_promised_restore_point.py::test_the_rows_are_in_",
    "overwritten values count as nothing": "migrations_registry/test_promised_restore_point.py::test_overwriting_is_ne",
    "verify raises false alarms": "migrations_registry/test_committed_once.py::test_what_was_committed_is_not_run",
    "no restore point can be proven": "migrations_registry/test_apply_restore_point.py::test_what_no_drill_can_restore",
    "files out of order": "migrations_registry/test_apply.py::test_files_are_applied_in_order",
    "a dump is refused": "migrations_registry/test_analysis_safe_forms.py::test_a_dump_is_read_without_what_it_says",
    "psql's own lines are refused": "migrations_registry/test_analysis_safe_forms.py::test_what_only_speaks_to_psql",
    "statement_timeout = 0 is refused": "migrations_registry/histories/test_histories.py::test_each_file_is_applied_as",
    "lock_timeout = 0 is refused": "migrations_registry/test_analysis_safe_forms.py::test_the_runner_leaves_out_a",
    "BEGIN and COMMIT of its own": "migrations_registry/histories/test_histories.py::test_each_file_is_applied_as_psql",
    "two files of one content": "migrations_registry/test_apply.py::test_two_files_of_the_same_content_are_applied",
    "an empty file is refused": "migrations_registry/test_analysis_safe_forms.py::test_a_file_without_a_statement_is",
    "a recovered table is wide open": "sampelit_ops/recover/test_rehearsals.py::test_what_was_dropped_deleted_or",
    "an undone table is wide open": "migrations_registry/undo/test_generated.py::test_what_was_destroyed_is_back_and",
    "the own restore is drift": "sampelit_ops/recover/test_rehearsals.py::test_what_was_dropped_deleted_or_overwritten",
    "a lost connection while draining": "operations/test_put_off.py::test_a_raw_error_of_a_database_outside_is_told",
    "bodies on the status page": "migrations_registry/test_observing.py::test_what_is_missing_is_told_without_the_body",
    "DETAIL and HINT are not shown": "migrations_registry/test_apply.py::test_what_the_server_says_beside_its_message",
    "names that differ in case": "migrations_registry/test_registry_discovery.py::test_of_two_that_stand_for_one",
    "too large, without the limit": "migrations_registry/test_registry_discovery.py::test_bombs_are_refused",
    "a comment in a COPY block": "migrations_registry/test_registry_discovery.py::test_refused_bytes",
    "kinds of drift that are missed": "migrations_registry/test_fingerprint.py::test_a_single_change_is_found",
    "harmless changes that are drift": "migrations_registry/test_fingerprint.py::test_rewrites_that_mean_nothing_are",
    "settings that change the words": "migrations_registry/test_fingerprint.py::test_a_setting_of_the_database_changes",
    "an invalid index that is repaired": "migrations_registry/test_fingerprint.py::test_an_index_that_was_repaired_is",
    "disturbed at random moments": "migrations_registry/test_failpoints.py::test_",
}


@pytest.mark.parametrize("finding", FINDINGS)
def test_its_test_is_there(finding: str) -> None:
    path, _, name = FINDINGS[finding].partition("::")

    assert f"def {name}" in (TESTS / path).read_text(encoding="utf-8")
