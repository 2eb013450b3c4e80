# Perisai. `make demo` and `make check` each work as the first command after a clone:
# they make ./.venv from the hashed lock with whatever package index pip is set up for.

PYTHON ?= $(firstword $(foreach p,python3.12 python3.11 python3,$(shell $(p) -c 'import sys; print(sys.executable) if (3, 11) <= sys.version_info < (3, 13) else None' 2>/dev/null | grep -v None)))
PORT ?= 8463
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## Say what there is to make.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Perisai needs Python 3.11 or 3.12 (oso has no newer build): install one, or say make PYTHON=/path/to/python3.12"; exit 1; }
	@echo "Making $(VENV) with $(PYTHON)."
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); echo "Python could not make a virtual environment; Debian has it in the package python3-venv."; exit 1; }

$(VENV)/run.done: requirements/run.lock pyproject.toml | $(BIN)/python
	@echo "Installing what the service needs, from the hashed lock."
	@$(PIP) install --no-deps --require-hashes -r requirements/run.lock || { echo "The package index could not be reached or lacks a file of the lock: check the network, or point pip at your mirror (pip config set global.index-url ...)."; exit 1; }
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.done: requirements/dev.lock $(VENV)/run.done
	@echo "Installing what the checks need, from the hashed lock."
	@$(PIP) install --no-deps --require-hashes -r requirements/dev.lock || { echo "The package index could not be reached or lacks a file of the lock: check the network, or point pip at your mirror (pip config set global.index-url ...)."; exit 1; }
	@touch $@

.PHONY: demo
demo: $(VENV)/run.done ## Set up and serve synthetic records on loopback (PORT=8463).
	@$(BIN)/perisai demo --port $(PORT)

.PHONY: check
check: lint test bench ## Everything that CI runs.

.PHONY: lint
lint: $(VENV)/dev.done ## Style, types, import contracts.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: test
test: $(VENV)/dev.done ## The whole suite, on SQLite and on PostgreSQL.
	$(BIN)/pytest

.PHONY: bench
bench: $(VENV)/dev.done ## Benchmarks as name, value, unit (ONLY=page100 for one).
	$(BIN)/python -m benchmarks $(ONLY)

.PHONY: lock
lock: ## Compile the locks anew from pyproject.toml (needs uv).
	uv pip compile pyproject.toml --group build --universal --generate-hashes --no-header --no-annotate --quiet --upgrade -o requirements/run.lock
	uv pip compile pyproject.toml --group build --group dev --universal --generate-hashes --no-header --no-annotate --quiet -c requirements/run.lock -o requirements/dev.lock

.PHONY: schemas
schemas: $(VENV)/dev.done ## Write the snapshots of the three schemas anew.
	$(BIN)/python -m api.schema.snapshot

.PHONY: clean
clean: ## Remove the demo's data and all caches; the environment stays.
	rm -rf .demo build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
