# Every command that people and CI run. Each target makes the virtual environment when it is missing.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo validate clients dev lint types test test-slow conformance bench bench-scale soak dist check fix generate clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

$(VENV)/python: # the interpreter, checked once
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "aos-workflow needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/runtime: $(VENV)/python pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/dev: $(VENV)/python pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/runtime

demo: $(VENV)/runtime ## Watch an agent walk a workflow over stdio
	@$(BIN)/aos-workflow demo

validate: $(VENV)/runtime ## Validate a server: all 14 actions, times, memory; ARGS='--server "CMD"' for another
	@$(BIN)/python scripts/validate_aos_workflow.py $(ARGS)

clients: $(VENV)/dev ## Drive clients on the PATH (claude, codex, gemini, opencode) with a scripted model
	@$(BIN)/python -m tests.clients.drive $(ARGS)

dev: $(VENV)/dev ## Make the development environment

lint: $(VENV)/dev ## Check style and common mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pylint mcp_server

types: $(VENV)/dev ## Check types
	$(BIN)/mypy

test: $(VENV)/dev ## Run the tests with branch coverage
	$(BIN)/python -m pytest --cov --cov-report=term

test-slow: $(VENV)/dev ## Run the long tests: kills, races, ten thousand sessions
	$(BIN)/python -m pytest -m slow

conformance: $(VENV)/dev ## Run the official conformance suite over HTTP; needs Node 22 or newer
	$(BIN)/python tests/conformance/run.py

bench: $(VENV)/dev ## Measure, and write docs/benchmarks.md
	$(BIN)/python -m benchmarks

soak: $(VENV)/dev ## Make twenty thousand calls of one server and look at its memory
	$(BIN)/python -m benchmarks soak

bench-scale: $(VENV)/dev ## Measure files against a database, and write docs/scale.md
	$(BIN)/python -m benchmarks.scale

dist: $(VENV)/dev ## Build sdist and wheel from what is committed, and try them
	$(BIN)/python scripts/build_dist.py

check: lint types test test-slow dist ## Everything that CI checks

fix: $(VENV)/dev ## Mend what the linter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(VENV)/dev ## Write what comes from code: requirements, parts of the docs
	$(BIN)/python -m scripts.generate

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) build dist .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis
