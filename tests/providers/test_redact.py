"""Secrets that must not leave: values of secret variables and everything shaped like a credential."""

from __future__ import annotations

import io
import logging
import time

import pytest

from providers import redact

PLANTED = {
    "a DSN": ("postgresql://olga:hunter2!@db.example/x", "hunter2"),
    "a DSN with @ in the password": ("postgres://u:p@ss@db.example/x", "p@ss"),
    "a libpq string": ("host=db password=hunter2 user=x", "hunter2"),
    "a quoted libpq string": ("host=db password='hunter 2' user=x", "hunter 2"),
    "an AWS key": ("key AKIAIOSFODNN7EXAMPLE used", "AKIAIOSFODNN7EXAMPLE"),
    "a Render key": ("rnd_AbCdEfGh12345678", "AbCdEfGh"),
    "a Supabase token": ("sbp_0123456789abcdef", "0123456789"),
    "a Supabase secret key": ("sb_secret_abcdEFGH1234", "abcdEFGH"),
    "a Supabase OAuth token": ("sbp_oauth_0123456789abcdef", "0123456789"),
    "a token of the portal": ("opst_Zk3-x_9QmAbCdEfGh12345678", "QmAbCdEf"),
    "a GitHub token": ("ghp_AbCdEfGh1234567890AbCdEfGh1234567890", "AbCdEfGh"),
    "a GitHub app's token": ("ghs_AbCdEfGh1234567890AbCdEfGh1234567890", "AbCdEfGh"),
    "a GitHub OAuth token": ("gho_AbCdEfGh1234567890AbCdEfGh1234567890", "AbCdEfGh"),
    "a GitHub refresh token": ("ghr_AbCdEfGh1234567890AbCdEfGh1234567890", "AbCdEfGh"),
    "a GitHub user token": ("ghu_AbCdEfGh1234567890AbCdEfGh1234567890", "AbCdEfGh"),
    "a fine-grained GitHub token": ("github_pat_11ABCDEFG0_abcdefghijkl", "abcdefghijkl"),
    "a GitLab token": ("glpat-AbCd-EfGh_1234567890", "EfGh"),
    "a Slack bot token": ("xoxb-123456789012-abcdefGHIJ", "abcdefGHIJ"),
    "a Slack token that rotates": ("xoxe.xoxp-1-Mi0yLTEyMzQ1Njc4", "Mi0yLTEy"),
    "a Slack app token": ("xapp-1-A01-123-abcdef", "abcdef"),
    "a Stripe key": ("sk_" + "live_AbCdEfGh12345678", "AbCdEfGh"),
    "a Stripe test key": ("sk_" + "test_AbCdEfGh12345678", "AbCdEfGh"),
    "a restricted Stripe key": ("rk_" + "live_AbCdEfGh12345678", "AbCdEfGh"),
    "an npm token": ("npm_AbCdEfGh1234567890AbCdEfGh1234567890", "AbCdEfGh"),
    "a webhook secret": ("whsec_c2VjcmV0c2VjcmV0", "c2VjcmV0"),
    "a JWT": ("eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZSJ9.sig_sig_sig", "eyJyb2xl"),
    "an age identity": ("AGE-SECRET-KEY-1QQPQQYJ5L5L5L", "1QQPQQYJ"),
    "a private key": ("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQ\n-----END PRIVATE KEY-----", "MC4CAQ"),
    "a bearer header": ("Authorization: Bearer abcdef.123456-xyz", "abcdef.123456"),
    "a Slack hook": ("https://hooks.slack.com/services/T0/B0/XYZ", "T0/B0"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_patterns(name: str) -> None:
    text, secret = PLANTED[name]

    assert secret not in redact.Redactor().text(f"before {text} after")
    assert redact.Redactor().text(f"before {text} after").startswith("before ")


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://db.example/x",
        "https://example.com/a?b=c",
        "the password is required",
        "eyJ",
        "the columns risk_test_result and disk_live_bytes",
        "task_live_AbCdEfGh12345678",
        "npm_config_registry",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "01JDB9XK3ZJ4Y7Q2W5N8M0R6TT",
    ],
)
def test_harmless_text_is_kept(text: str) -> None:
    assert redact.Redactor().text(text) == text


def test_values_of_secret_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG")
    monkeypatch.setenv("SAMPELIT_PRODUCTION_EXPORT_DSN", "postgresql://ro:s%40me-pass@h/d")
    monkeypatch.setenv("OPS_METRICS_TOKEN", "short")
    monkeypatch.setenv("OPS_BASE_URL", "https://ops.example.com")

    text = redact.redact("wJalrXUtnFEMI/K7MDENG wJalrXUtnFEMI%2FK7MDENG s%40me-pass s@me-pass https://ops.example.com")

    assert text == f"{redact.MASK} {redact.MASK} {redact.MASK} {redact.MASK} https://ops.example.com"


def test_plain_words_and_open_addresses_are_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql:///sampelit_ops")
    monkeypatch.setenv("SAMPELIT_STAGING_EXPORT_DSN", "postgresql://postgres:postgres@h/d")

    assert redact.redact("postgres at postgresql:///sampelit_ops") == "postgres at postgresql:///sampelit_ops"
    assert redact.redact("postgresql://postgres:postgres@h/d") == redact.MASK


def test_structures_keep_their_shape() -> None:
    value = {"n": 1, "ok": True, "none": None, "list": ["rnd_AbCdEfGh12345678", {"x": "rnd_AbCdEfGh12345678"}]}

    assert redact.Redactor().value(value) == {
        "n": 1,
        "ok": True,
        "none": None,
        "list": [redact.MASK, {"x": redact.MASK}],
    }


def test_logs_arguments_and_tracebacks() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(redact.RedactingFilter())
    logger = logging.getLogger("tests.redact")
    logger.addHandler(handler)
    try:
        raise ValueError("cannot reach postgresql://u:hunter2@h/d")
    except ValueError:
        logger.exception("failed for %s", "rnd_AbCdEfGh12345678")
    finally:
        logger.removeHandler(handler)

    assert "hunter2" not in out.getvalue()
    assert "rnd_" not in out.getvalue()
    assert "Traceback" in out.getvalue()


@pytest.mark.parametrize(
    "text", ["a" * 4_000_000, "password=" * 400_000, "://" * 1_000_000], ids=["a", "word", "slashes"]
)
def test_a_log_line_is_cut_before_it_is_looked_at(text: str) -> None:
    began = time.thread_time()

    line = redact.Redactor().line(text)

    assert time.thread_time() - began < 0.1
    assert len(line) < 50_000
    assert f"({len(text):,} characters)" in line


def test_no_part_of_a_secret_is_left_where_a_line_is_cut() -> None:
    secret = "wJalrXUtnFEMI/K7MDENG"
    redactor = redact.Redactor(frozenset({secret}))

    lines = [
        redactor.line("x" * (redact.LONGEST_LINE - shown) + secret + "y" * 9_000) for shown in range(1, len(secret))
    ]

    assert [line for line in lines if "wJ" in line] == []
