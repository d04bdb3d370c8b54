"""The values of Render's blueprint reference (render.com/docs/blueprint-spec, plans of August 2026). Constants."""

from __future__ import annotations

REGIONS = ("oregon", "ohio", "virginia", "frankfurt", "singapore")

# Plan ids since August 2026; the names before them are still accepted.
CRON_PLANS = (
    *("starter", "standard", "pro", "pro plus"),
    *("0.5c-512mb", "1c-2g", "2c-4g", "2c-8g", "2c-16g", "4c-8g", "4c-16g", "4c-32g", "8c-16g", "8c-32g", "8c-64g"),
)
WORKER_PLANS = (*CRON_PLANS, "pro max", "pro ultra", "12c-24g", "12c-48g", "12c-96g")
WEB_PLANS = ("free", *WORKER_PLANS)
KEY_VALUE_PLANS = (
    *("free", "starter", "standard", "pro", "pro plus", "pro max", "pro ultra"),
    *("256mb", "1g", "5g", "10g", "20g", "40g"),
)
LEGACY_DATABASE_PLANS = ("starter", "standard", "pro", "pro plus")
SMALL_DATABASE_PLANS = ("free", "basic-256mb", "basic-1gb", "basic-4gb", "0.1c-256mb", "0.5c-1g")  # no standby
DATABASE_PLANS = (
    *SMALL_DATABASE_PLANS,
    *(f"pro-{size}gb" for size in (4, 8, 16, 32, 64, 128, 192, 256, 384, 512)),
    *(f"accelerated-{size}gb" for size in (16, 32, 64, 128, 256, 384, 512, 768, 1024)),
    *("1c-2g", "1c-4g", "2c-4g", "2c-8g", "2c-16g", "4c-16g", "4c-32g", "8c-32g", "8c-64g", "16c-64g", "16c-128g"),
    *("32c-128g", "32c-256g", "48c-192g", "48c-384g", "64c-256g", "64c-512g", "96c-384g", "96c-768g"),
    *("128c-512g", "128c-1024g", *LEGACY_DATABASE_PLANS),
)
PLAN_HINTS = {  # as Render's API spells them, or as they were called
    "pro_plus": "pro plus",
    "pro_max": "pro max",
    "pro_ultra": "pro ultra",
    "starter_plus": "standard",
    "starter plus": "standard",
    "standard_plus": "pro",
    "standard plus": "pro",
    "basic_256mb": "basic-256mb",
    "basic_1gb": "basic-1gb",
    "basic_4gb": "basic-4gb",
}
MEMORY_MB = {
    "free": 512,
    "starter": 512,
    "0.5c-512mb": 512,
    "standard": 2048,
    "1c-2g": 2048,
    "pro": 4096,
    "2c-4g": 4096,
}

NATIVE = ("node", "python", "elixir", "go", "ruby", "rust")
RUNTIMES = (*NATIVE, "docker", "image", "static")
TYPES = ("web", "pserv", "worker", "cron", "keyvalue", "redis", "workflow")
TYPE_HINTS = {
    "static": "web` with `runtime: static",
    "static_site": "web` with `runtime: static",
    "web_service": "web",
    "private_service": "pserv",
    "private": "pserv",
    "background_worker": "worker",
    "background": "worker",
    "cron_job": "cron",
    "cronjob": "cron",
    "key_value": "keyvalue",
    "postgres": "keyvalue` here; a Postgres stands in `databases",
    "postgresql": "keyvalue` here; a Postgres stands in `databases",
    "pgsql": "keyvalue` here; a Postgres stands in `databases",
}
POSTGRES_VERSIONS = tuple(str(version) for version in range(11, 19))
EVICTION = ("allkeys-lru", "volatile-lru", "allkeys-lfu", "volatile-lfu", "allkeys-random", "volatile-random")
EVICTION_POLICIES = (*EVICTION, "volatile-ttl", "noeviction")

DATABASE_PROPERTIES = ("connectionString", "connectionPoolString", "host", "port", "user", "password", "database")
SERVICE_PROPERTIES = ("host", "port", "hostport", "connectionString")
# What is set on every service without being declared.
GIVEN = ("RENDER", "PORT", "HOSTNAME", "PYTHON_VERSION", "NODE_VERSION", "WEB_CONCURRENCY", "IS_PULL_REQUEST")
