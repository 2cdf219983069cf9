# Every target that needs the environment depends on its stamp: one command does everything, set-up included.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DAEMONS := manager stager servicer worker watchdogs
CODE := plotter2 $(DAEMONS)
LOCKED := --universal --generate-hashes --no-header --python-version 3.11
UV_VERSION := 0.13.8

.PHONY: help setup lock demo test test-long check lint types contracts fmt proto verify-proto buf gallery bench fuzz requirements clean

help: ## list every target
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 16

setup: $(STAMP) ## install into ./.venv from the lock file (nothing else)

$(STAMP): requirements-dev.lock pyproject.toml
	@echo "plotter2: installing into $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tools/uv.lock
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements-dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

lock: $(STAMP) ## write both lock files anew from pyproject.toml, keeping what is pinned
	@$(BIN)/uv pip compile --quiet $(LOCKED) pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet $(LOCKED) --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

check: lint types contracts verify-proto buf ## lint, types, import contracts, stub drift; no tests

lint: $(STAMP) ## ruff and codespell
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet . && $(BIN)/codespell $(CODE) docs tests *.md

fmt: $(STAMP) ## format and mend what can be mended by itself
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

types: $(STAMP) ## mypy, strict
	@$(BIN)/mypy --no-error-summary

contracts: $(STAMP) ## import contracts
	@$(BIN)/lint-imports --no-cache > /tmp/plotter2-contracts.$$$$ || { cat /tmp/plotter2-contracts.$$$$; rm -f /tmp/plotter2-contracts.$$$$; exit 1; }; rm -f /tmp/plotter2-contracts.$$$$

proto: $(STAMP) ## generate the protobuf stubs into plotter2/api/v1
	@$(BIN)/python tools/stubs.py plotter2/api/v1

verify-proto: $(STAMP) ## the committed stubs are what proto/ says
	@$(BIN)/python tools/stubs.py --check plotter2/api/v1

buf: ## lint the proto files (where node is present)
	@if command -v npx >/dev/null; then cd proto && npx --yes @bufbuild/buf@1.75.0 lint; else echo "buf: skipped, node is not here"; fi

test: check ## everything: set-up, check, then all tests on the real PostgreSQL and broker
	@$(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist loadfile

test-long: $(STAMP) ## what takes minutes: trees of 10,000 instances, with kills in the middle
	@$(BIN)/python -m pytest -q -n 0 -m long

demo: $(STAMP) ## the main job on real data; ONCE=1 stops at the end
	@$(BIN)/python -m examples.demo $(if $(ONCE),--once)

gallery: $(STAMP) ## one page of every picture on real data, below gallery/
	@$(BIN)/python tools/gallery.py

bench: $(STAMP) ## benchmarks, one JSON line each, beside the machine's own limit
	@$(BIN)/python -m bench

fuzz: $(STAMP) ## throw what was never meant at everything that reads what strangers send; SECONDS_EACH=30
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --no-deps --only-binary :all: -r requirements-fuzz.lock \
	  || echo "fuzz: atheris has no wheel for this Python; random mutations instead"
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS_EACH),30)

requirements: $(STAMP) ## the table of requirements and the tests that prove them
	@$(BIN)/python tools/requirements.py

clean: ## remove the environment and caches (no data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
