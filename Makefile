# Every target sets up .venv from the locked requirements first. `make help` lists them.
# The first Python that runs and that the portal supports, the oldest first; PYTHON=… names another.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14; do \
	$$python -c '' 2>/dev/null && echo $$python && break; done || echo python3)
VENV := .venv
BIN := $(VENV)/bin

# The portal is many processes: with its byte code kept (git-ignored) each starts in two thirds of the time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test soak mutants lint bench

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.runtime: requirements.txt
	@test -x $(BIN)/python || { $(PYTHON) bin/check_python.py && $(PYTHON) -m venv $(VENV); }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@ln -sf "$(CURDIR)/bin/sampelit-ops" $(BIN)/sampelit-ops
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt
	@test -x $(BIN)/python || { $(PYTHON) bin/check_python.py && $(PYTHON) -m venv $(VENV); }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@ln -sf "$(CURDIR)/bin/sampelit-ops" $(BIN)/sampelit-ops
	@touch $(VENV)/.runtime $@

run: $(VENV)/.runtime ## start the demo: database, sandbox, workers, web; then export the audit trail and prove it
	@$(BIN)/python -m compileall -q -j 0 backups deployments ledger migrations_registry operations providers sampelit_ops sandbox
	@exec $(BIN)/python -m sampelit_ops.demo.launcher

test: $(VENV)/.dev ## unit, contract, database, worker and browser tests; three processes for two cores, as they often wait
	@exec $(BIN)/python -m pytest -n 3 --dist worksteal $(PYTEST_ARGS)

soak: $(VENV)/.dev ## the suites that count cases, whole (hours); MINUTES=20: a fair share of each; adds to docs/reliability.md
	@exec $(BIN)/python -m tests.soak $(SUITES)

mutants: $(VENV)/.dev ## which registrations and conditions of updates no test would miss; MUTANTS="updates operations" is a part
	@for kind in $(if $(MUTANTS),'$(MUTANTS)',registrations updates); do $(BIN)/python -m tests.mutate $$kind || exit; done

bench: $(VENV)/.dev ## performance against peers: 2 million rows, 5 rounds; writes bench-results.json (needs psql's zstd, aws)
	@DEMO=1 SECRET_KEY=bench exec $(BIN)/python -m bench $(BENCH_ARGS)

lint: $(VENV)/.dev ## ruff, mypy, import-linter, formats, check --deploy, makemigrations --check, pip-audit, SBOM
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/djangofmt --check templates
	$(BIN)/oxfmt --check static
	! LC_ALL=C.UTF-8 grep -rnE '^.{121}' templates static --include='*.html' --include='*.css' --include='*.js'
	$(BIN)/python bin/lint_django.py
	$(BIN)/python bin/audit.py
