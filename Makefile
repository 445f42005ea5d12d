# `make` lists what there is. ARGS goes to the command: make demo ARGS='--outage api:30'

PYTHON ?= python3
bin := .venv/bin
export PATH := $(PATH):$(CURDIR)/.tools/debian/usr/bin
MAKEFLAGS += --no-print-directory
lock = $(bin)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras \
  --no-emit-index-url --no-header --no-annotate --quiet

.DEFAULT_GOAL := help
.PHONY: help setup demo serve smoke check fix test bench docs dashboards preview lock debian static style types imports shell documents screens fast whole

help:  ## Lists these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.ready  ## Makes .venv with everything, as locked
demo: setup  ## Starts a small SaaS, everything it depends on, and the exporter that watches it
	$(bin)/chatterfy-exporter demo $(ARGS)
serve: setup  ## Runs the exporter
	$(bin)/chatterfy-exporter serve $(ARGS)
smoke: setup  ## Sends a test alert through a running Alertmanager and waits for its messages
	$(bin)/chatterfy-exporter smoke $(ARGS)
check: setup  ## Checks style, types, imports and docs, and runs the fast tests: before every commit
	@$(MAKE) --jobs 2 --keep-going --output-sync=target static fast
fix: setup  ## Formats, and repairs what can be repaired
	$(bin)/ruff format .
	$(bin)/ruff check --fix .
test: setup debian  ## Runs all checks and all tests; installs the Debian programs they need
	@$(MAKE) --jobs 2 --keep-going --output-sync=target static
	@$(MAKE) whole
bench: setup  ## Measures, compares, and writes docs/performance.md
	$(bin)/python -m bench $(ARGS)
docs: setup  ## Writes the generated parts of the docs
	$(bin)/python -m scripts.docs
dashboards: setup  ## Writes the dashboards' JSON from grafana/source
	$(bin)/python -m grafana.source $(ARGS)
preview: setup debian  ## Draws the dashboards over a made-up past into docs/preview
	$(bin)/python -m grafana.preview $(ARGS)
lock: setup  ## Writes requirements.lock and those of the image anew from pyproject.toml
	$(lock) pyproject.toml --all-extras --group dev -o requirements.lock
	$(lock) pyproject.toml --constraints requirements.lock --extra sentry -o requirements/exporter.lock
	$(lock) pyproject.toml --constraints requirements.lock --extra sentry --extra demo -o requirements/demo.lock
	printf 'hatchling\nsetuptools\n' | $(lock) - --constraints requirements.lock -o requirements/build.lock

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.12 setup")'
	$(PYTHON) -m venv .venv || { scripts/install-debian.sh python3-venv && $(PYTHON) -m venv --clear .venv; }

.venv/.ready: requirements.lock pyproject.toml | .venv/bin/pip
	$(bin)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(bin)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

debian:
	@scripts/install-debian.sh

static: style types imports shell documents screens
style:
	$(bin)/ruff format --check .
	$(bin)/ruff check .
types:
	$(bin)/mypy
imports:
	$(bin)/lint-imports
shell:
	$(bin)/shellcheck --external-sources scripts/*.sh .ci/run
documents:
	$(bin)/python -m scripts.docs --check
screens:
	$(bin)/python -m grafana.source --check
fast:
	$(bin)/pytest -m fast -n 3 -q
whole:
	$(bin)/coverage erase
	$(bin)/pytest -n 2 --dist loadscope --durations=20 --cov --cov-report=term
