# make run    the hub with its demonstration tenant on http://127.0.0.1:8000
# make test   every test, on the embedded PostgreSQL     make test-pg15   the same on Debian's PostgreSQL
# make check  format, lint, types, layers, dependencies, house style: exactly what CI runs
# make bench  the benchmarks: a table, and bench/results.json
# make docs   the documentation in site/, its reference made from the program
# make wheel  dist/entrepot-*.whl, tried in an environment of its own without Node
# make fuzz   100,000 requests and more, right and wrong, against every described interface
# Every target installs first what it needs; `make setup` alone makes .venv with the `entrepot` command.

SHELL := /bin/bash
.DEFAULT_GOAL := setup
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps
VENDOR := src/entrepot/console/static/vendor/manifest.json

.PHONY: setup run test test-pg15 check format bench fuzz docs wheel lock browser clean

setup: .venv/base.stamp $(VENDOR)

run: setup
	$(BIN)/entrepot serve --demo --traffic

# Tests run in an order, and on examples, that follow from what is committed: another with every commit,
# the same for one commit wherever it is tested. `make test SEED=7` tries another.
SEED ?= $(shell printf %d 0x$$(git rev-parse --short=7 HEAD^{tree} 2>/dev/null || echo 1))
SEEDED = --randomly-seed=$(SEED) --hypothesis-seed=$(SEED)

test: .venv/dev.stamp $(VENDOR) browser
	$(BIN)/python -m pytest $(SEEDED) --cov --cov-report=term:skip-covered $(ARGS)
	$(BIN)/python tools/coverage_floor.py

test-pg15: .venv/dev.stamp $(VENDOR)
	tools/with_debian_postgresql.sh $(BIN)/python -m pytest $(SEEDED) -m "not browser and not embedded" $(ARGS)

check: .venv/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry .
	$(BIN)/python -m pytest -q -p no:randomly tests/test_tidy.py

format: .venv/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/bench.stamp $(VENDOR)
	$(BIN)/python -m bench $(ARGS)

fuzz: .venv/dev.stamp
	$(BIN)/python -m tools.fuzz $(ARGS)

docs: .venv/dev.stamp
	$(BIN)/python -m tools.reference
	$(BIN)/python -m mkdocs build --strict

wheel: .venv/dev.stamp $(VENDOR)
	$(BIN)/python tools/try_wheel.py

# Locks are made for every platform and name neither a host nor a path of this machine.
LOCK := UV_FIND_LINKS= $(BIN)/uv pip compile -q pyproject.toml --universal --python-version 3.11 \
  --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links
lock: .venv/dev.stamp
	$(LOCK) $(ARGS) --group build -o requirements/base.txt
	$(LOCK) $(ARGS) --group dev -c requirements/base.txt -o requirements/dev.txt
	$(LOCK) $(ARGS) --group bench -c requirements/dev.txt -o requirements/bench.txt
	npm install --package-lock-only
	$(BIN)/python tools/unfunded.py

browser:
	tools/install_browser.sh $(BIN)/python

.venv/base.stamp: requirements/base.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --require-hashes -r requirements/base.txt
	$(PIP) --no-build-isolation --editable .
	touch $@

.venv/dev.stamp: .venv/base.stamp requirements/dev.txt
	$(PIP) --require-hashes -r requirements/dev.txt
	touch $@

.venv/bench.stamp: .venv/dev.stamp requirements/bench.txt
	$(PIP) --require-hashes -r requirements/bench.txt
	touch $@

node_modules/.stamp: package.json package-lock.json .npmrc
	npm ci
	touch $@

$(VENDOR): node_modules/.stamp tools/vendor.py
	$(BIN)/python tools/vendor.py

clean:
	rm -rf .venv node_modules dist site $(dir $(VENDOR)) .mypy_cache .ruff_cache .pytest_cache
