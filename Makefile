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
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

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

# The generator of the client has other versions than the service: it goes into a folder of its own.
$(VENV)/client.done: requirements/client.lock | $(BIN)/python
	@echo "Installing what writes the typed client, from the hashed lock."
	@rm -rf $(VENV)/client
	@$(PIP) install --no-deps --require-hashes --target $(VENV)/client -r requirements/client.lock || { echo "The package index could not be reached or lacks a file of the lock: check the network, or point pip at your mirror (pip config set global.index-url ...)."; exit 1; }
	@touch $@

# The audits of GraphQL over HTTP, the identity provider of the tests and a benchmark's peer are
# packages of npm, which node's wheel brings along.
NPM_CI := PATH="$(CURDIR)/$(BIN):$$PATH" "$(CURDIR)/$(BIN)/npm" ci --ignore-scripts --no-audit --no-fund --loglevel=error

# GraphiQL, for the demo's console, takes node without what else the checks need.
$(VENV)/node.done: requirements/node.lock | $(BIN)/python
	@echo "Installing node, from the hashed lock, for GraphiQL."
	@$(PIP) install --no-deps --require-hashes -r requirements/node.lock
	@touch $@

INSTALLED := node_modules/.package-lock.json
FOR_TESTS := tests/audit/$(INSTALLED) tests/provider/$(INSTALLED)
FOR_BENCH := benchmarks/postgraphile/$(INSTALLED)

$(FOR_TESTS) $(FOR_BENCH): %/$(INSTALLED): %/package-lock.json $(VENV)/dev.done
	@echo "Installing what $* needs from npm, by the lock with hashes."
	@cd $* && $(NPM_CI) || { echo "The npm registry could not be reached or lacks a file of the lock: check the network, or point npm at your mirror (npm config set registry ...)."; exit 1; }
	@touch $@

graphiql/$(INSTALLED): graphiql/package-lock.json $(VENV)/node.done
	@echo "Installing GraphiQL from npm, by the lock with hashes."
	@cd graphiql && $(NPM_CI)
	@touch $@

.PHONY: graphiql
graphiql: graphiql/$(INSTALLED) ## Fetch GraphiQL for the demo's console.

.PHONY: demo
demo: $(VENV)/run.done ## Set up and serve synthetic records on loopback (PORT=8463).
	@$(MAKE) --no-print-directory graphiql || echo "GraphiQL could not be fetched, so the demo is without it: check the network, or point pip and npm at your mirrors."
	@$(BIN)/perisai demo --port $(PORT) $$(test -e graphiql/$(INSTALLED) && echo --graphiql graphiql)

.PHONY: check
check: lint test test-long test-times bench ## Everything that CI runs.

.PHONY: lint
lint: $(VENV)/dev.done ## Style, types, import contracts, breaking changes.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests/clients/ten_requests.py
	$(BIN)/lint-imports
	$(BIN)/python -m api.schema.compatibility

# The databases of the tests are in memory where the system has such a folder: they are made
# by the thousand, and each waits for its disk as in production.
TEST := TMPDIR=$(firstword $(wildcard /dev/shm) /tmp) $(BIN)/pytest -n 2 --dist loadfile

.PHONY: test
test: $(VENV)/dev.done $(VENV)/client.done ## The suite, on SQLite and on PostgreSQL.
	$(TEST) -m "not long"

.PHONY: test-long
test-long: $(FOR_TESTS) ## What takes several processes or much time.
	$(TEST) -m "long and not alone"

.PHONY: test-times
test-times: $(VENV)/dev.done ## What compares times, with nothing beside it.
	TMPDIR=$(firstword $(wildcard /dev/shm) /tmp) $(BIN)/pytest -m alone

.PHONY: test-kill
test-kill: $(VENV)/dev.done ## 200 rounds of killing the service and the server under load.
	PERISAI_TEST_KILL_ROUNDS=200 TMPDIR=$(firstword $(wildcard /dev/shm) /tmp) $(BIN)/pytest tests/accesslog/test_durability_kill.py

.PHONY: fuzz
fuzz: $(VENV)/dev.done ## An hour of random requests to the faces (PERISAI_FUZZ_SECONDS).
	PERISAI_FUZZ_SECONDS=$${PERISAI_FUZZ_SECONDS:-3600} TMPDIR=$(firstword $(wildcard /dev/shm) /tmp) $(BIN)/pytest tests/fuzzing

.PHONY: mutate-policies
mutate-policies: $(VENV)/dev.done ## Take each rule and condition out of the policies: who notices?
	$(BIN)/perisai policy check --mutants
	$(BIN)/python -m tests.policies.mutating_builders

.PHONY: bench
bench: $(VENV)/dev.done $(FOR_BENCH) ## Benchmarks as name, value, unit (ONLY=page100 for one).
	$(BIN)/python -m benchmarks $(ONLY)

.PHONY: lock
lock: ## Compile the locks anew from pyproject.toml (needs uv).
	uv pip compile pyproject.toml --group build --universal --generate-hashes --no-header --no-annotate --quiet --upgrade -o requirements/run.lock
	uv pip compile pyproject.toml --group build --group dev --group bench --universal --generate-hashes --no-header --no-annotate --quiet -c requirements/run.lock -o requirements/dev.lock
	uv pip compile --group node --universal --generate-hashes --no-header --no-annotate --quiet -c requirements/dev.lock -o requirements/node.lock
	uv pip compile --group client --universal --generate-hashes --no-header --no-annotate --quiet -o requirements/client.lock

.PHONY: schemas
schemas: $(VENV)/dev.done ## Write the snapshots of the three schemas anew.
	$(BIN)/python -m api.schema.snapshot

.PHONY: client
client: $(VENV)/client.done ## Write the typed client under examples/ anew.
	PYTHONPATH=$(VENV)/client $(BIN)/python examples/python/generate.py

.PHONY: released-schemas
released-schemas: $(VENV)/dev.done ## At a release: compare the schemas with these from now on.
	$(BIN)/python -m api.schema.compatibility --release

.PHONY: clean
clean: ## Remove the demo's data and all caches; the environment stays.
	rm -rf .demo build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
