# Everything this project can be asked to do. `make help` lists it.
#
# A machine needs Python 3.11 or newer, make and git; the rest (Node, PostgreSQL, packages) comes from
# requirements.lock and frontend/package-lock.json into .venv/ and frontend/node_modules/.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# Each command here starts Python anew; without what it has compiled before that takes twice as long.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# npm and the programs it starts must find the wheel's Node before any other.
NPM := cd frontend && PATH="$(CURDIR)/$(BIN):$$PATH" npm
LOCK := $(BIN)/uv pip compile pyproject.toml --quiet --all-extras --generate-hashes --universal --python-version 3.11 \
	--no-header --no-emit-index-url --no-emit-find-links
# Half of all Node packages, for one measurement: no test waits for it.
LIGHTHOUSE := tests/benchmarks/lighthouse
FRONTEND_SOURCES = $(shell find frontend -path frontend/node_modules -prune -o -path frontend/dist -prune \
	-o -type f -print 2>/dev/null)

.PHONY: help setup run dev check check-python check-lock check-database check-api check-frontend test test-python \
	test-whole test-rooms test-browser test-frontend format migrate migration openapi demo bench frontend lock clean

help: ## show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/.installed frontend/node_modules/.installed ## install everything from the two locks

run: setup frontend ## set up, bring a demo if the database is empty, serve at http://127.0.0.1:8000
	@$(BIN)/pioneer demo --if-empty
	@$(BIN)/pioneer serve

dev: setup ## serve with reload, and the frontend's own server beside it
	@trap 'kill $$(jobs -p) 2>/dev/null || true' EXIT; \
	$(BIN)/watchfiles --filter python '$(BIN)/pioneer serve' app migrations & \
	($(NPM) run dev) & \
	wait -n

check: setup ## all that reads the sources: style, types, rules, locks, budgets
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target check-frontend check-python check-lock check-database check-api

check-python: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/typos

check-lock: $(VENV)/.installed
	@fresh=$$(mktemp); trap 'rm -f "$$fresh"' EXIT; cp requirements.lock "$$fresh"; \
	$(LOCK) --output-file "$$fresh"; \
	diff -u requirements.lock "$$fresh" || { echo 'requirements.lock does not follow pyproject.toml: run `make lock`' >&2; exit 1; }

check-database: $(VENV)/.installed
	$(BIN)/python tools/with_postgres.py sh -c '$(BIN)/alembic upgrade head && $(BIN)/alembic check'

check-api: setup
	@$(BIN)/pioneer openapi | diff -u openapi.json - || { echo 'openapi.json is stale: run `make openapi`' >&2; exit 1; }
	@($(NPM) run --silent types -- --check) || { echo 'frontend/src/api/types.ts is stale: run `make openapi`' >&2; exit 1; }

check-frontend: frontend
	@$(NPM) run check

# Each of these waits a good deal and has a database of its own: side by side they keep two processors busy to the end.
# The browser's tests take longest and wait most: the others take what they leave.
test: setup frontend ## all tests, with a real browser
	@$(MAKE) --no-print-directory --jobs=4 --output-sync=line test-frontend test-browser test-whole test-rooms

# what concerns all rooms at once: every call, every table, phones and server together, what is added up of them all
test-whole: setup
	@nice -n 10 $(BIN)/python -m pytest tests/sync tests/reports $(wildcard tests/test_*.py) $(args)

test-rooms: setup
	@nice -n 10 $(BIN)/python -m pytest --ignore=tests/e2e --ignore=tests/sync --ignore=tests/reports $(addprefix --ignore=,$(wildcard tests/test_*.py)) $(args)

test-browser: setup frontend
	@chromium=$$(tools/chromium.sh) && PIONEER_CHROMIUM="$$chromium" $(BIN)/python -m pytest tests/e2e $(args)

test-python: setup frontend ## args="…": some tests, as pytest names them
	@chromium=$$(tools/chromium.sh) && PIONEER_CHROMIUM="$$chromium" $(BIN)/python -m pytest $(args)

test-frontend: frontend/node_modules/.installed
	@$(NPM) test

format: setup ## put sources into the common form
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	@$(NPM) run --if-present format

migrate: $(VENV)/.installed ## bring the database to the newest schema
	@$(BIN)/pioneer migrate

migration: $(VENV)/.installed ## name=what_changes: draft a migration from the tables
	@test -n "$(name)" || { echo 'say what changes: make migration name=add_duty_roster' >&2; exit 2; }
	@$(BIN)/python tools/with_postgres.py sh -c '$(BIN)/alembic upgrade head && $(BIN)/alembic revision --autogenerate -m "$(name)"'

openapi: setup ## write openapi.json and the frontend's types anew
	@$(BIN)/pioneer openapi > openapi.json.new && mv openapi.json.new openapi.json
	@$(NPM) run --silent types

demo: setup ## load the demo town and print its accounts
	@$(BIN)/pioneer demo

bench: setup frontend $(LIGHTHOUSE)/node_modules/.installed ## measure the hot paths beside a bare insert, search, imports beside COPY, and what a phone feels
	@$(BIN)/python -m tests.benchmarks
	@$(BIN)/python -m tests.benchmarks.phones
	@$(BIN)/python -m tests.benchmarks.registry
	@$(BIN)/python -m tests.benchmarks.imports
	@$(BIN)/python -m tests.benchmarks.imports_into
	@chromium=$$(tools/chromium.sh) && PIONEER_CHROMIUM="$$chromium" $(BIN)/python -m tests.benchmarks.phone

frontend: frontend/dist/.built ## build the frontend into frontend/dist

lock: $(VENV)/.installed ## write requirements.lock anew from pyproject.toml (upgrade=1: newest versions)
	@$(LOCK) $(if $(upgrade),--upgrade) --output-file requirements.lock

clean: ## remove what make made; never data/
	rm -rf $(VENV) frontend/node_modules frontend/dist $(LIGHTHOUSE)/node_modules build dist *.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .schemathesis tests/e2e/artifacts
	find app tests migrations tools -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: each stands for an install that is as new as its lock.

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'Python 3.11 or newer is needed; name one: make PYTHON=python3.12 …' >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends python3-venv; \
		else \
			echo 'Python lacks its venv module. On Debian and Ubuntu: sudo apt-get install python3-venv' >&2; exit 1; \
		fi; }
	$(PYTHON) -m venv $(VENV)

# pip brings uv, by the lock's own hashes, and uv the rest in a tenth of pip's time; where uv finds no index, pip does.
$(VENV)/.locked: requirements.lock | $(VENV)/bin/pip
	@awk '/^uv==/ { found = 1 } found { print } found && !/\\$$/ { exit }' $< > $(VENV)/uv.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.lock
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r $< \
		|| $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.locked
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

frontend/node_modules/.installed: frontend/package-lock.json frontend/package.json | $(VENV)/.locked
	@$(NPM) ci --no-audit --no-fund
	@touch $@

$(LIGHTHOUSE)/node_modules/.installed: $(LIGHTHOUSE)/package-lock.json $(LIGHTHOUSE)/package.json | $(VENV)/.locked
	@cd $(LIGHTHOUSE) && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund
	@touch $@

frontend/dist/.built: $(FRONTEND_SOURCES) frontend/node_modules/.installed
	@$(NPM) run build
	@touch $@
