# speechgate: `make help` lists the targets. Those that need it set the machine up first; a
# warm set-up only compares hashes.
# Debian's interpreter where there is one: many others are built without optimization.
PYTHON ?= $(or $(wildcard /usr/bin/python3.11),python3.11)
STACK ?= embedded
DETACH ?=
AUDIO ?=
ARGS ?=
WORKERS ?= 2
ENGINE ?=

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
LAUNCHER := $(PY) -m deploy.local
UV := .venv-lock/bin/uv
LOCK := $(UV) pip compile --quiet --generate-hashes --python-version 3.11 --no-header \
	--no-annotate --no-emit-index-url --no-emit-find-links
EXTRAS := gateway asr tts nlp
# Each worker takes the next folder in their order: those that start whole stacks come first.
SHARED := --numprocesses $(WORKERS) --dist loadscope --no-loadscope-reorder

.PHONY: help setup setup-full setup-test setup-scan engines demo up down status env test coverage check bench drill \
	images compose-test scan lock clean

help: ## Show this list
	@printf 'Usage: make <target> [VARIABLE=value]\n\nTargets:\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nVariables:\n'
	@printf '  %-12s %s\n' \
		STACK 'embedded (SQLite, in-process limits) or full (PostgreSQL, Redis, Unleash); for up' \
		DETACH '1: up returns when the stack is ready' \
		AUDIO 'a recording for demo, in place of the built-in one' \
		ARGS 'more arguments for up and test; parts of bench, drill and scan' \
		WORKERS 'processes that share the tests; 2' \
		ENGINE 'own or running: the Docker engine of images, compose-test and scan' \
		PYTHON 'the Python 3.11 that makes the virtual environments'

setup: ## Install system packages (apt), .venv and .venv-triton
	@PYTHON='$(PYTHON)' bash deploy/local/setup.sh

# The full stack has a flag server too, in .unleash.
setup-full:
	@PYTHON='$(PYTHON)' bash deploy/local/setup.sh unleash

# The tests also load models with weights of one's own, by engines in .venv-triton, speak through a
# JavaScript client, and give a real Prometheus the rules.
setup-test:
	@PYTHON='$(PYTHON)' bash deploy/local/setup.sh unleash clients engines prometheus

engines: ## Install the engines of models for your own weights (Whisper, sherpa, Piper, CTranslate2)
	@PYTHON='$(PYTHON)' bash deploy/local/setup.sh engines

demo: setup ## Transcribe, translate and speak a real recording through the whole stack
	@$(PY) -m deploy.local.demo $(if $(AUDIO),'$(AUDIO)')

up: $(if $(filter full,$(STACK)),setup-full,setup) ## Start the stack (STACK=full, DETACH=1); Ctrl-C or `make down` stops it
	@$(LAUNCHER) up --stack '$(STACK)' $(if $(filter-out 0 no false,$(DETACH)),--detach) $(ARGS)

down: ## Stop the stack
	@if [ -x $(PY) ]; then $(LAUNCHER) down; else echo 'Nothing is set up.'; fi

status: ## Show each component: process, state, restarts, address
	@if [ -x $(PY) ]; then $(LAUNCHER) status || [ $$? = 1 ]; else echo 'Nothing is set up.'; fi

env: ## Print SPEECHGATE_URL and SPEECHGATE_KEY for a shell's eval
	@$(LAUNCHER) env

test: setup-test ## Run all tests on real components
	@$(PY) -m pytest $(SHARED) $(ARGS)

coverage: setup-test ## The same, and which lines they reach
	@$(PY) -m pytest $(SHARED) --cov --cov-report=term:skip-covered $(ARGS)

check: setup ## Lint, format, types, import directions, migrations
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports
	@$(PY) -m shared.db.check

bench: setup ## Compare with others and with bare engines; ARGS names parts (gateway, streaming, …)
	@$(PY) -m tests.load bench $(ARGS)

drill: setup-full ## Break, overload and fuzz it; ARGS names parts (faults, resume, …)
	@$(PY) -m tests.load drill $(ARGS)

images: setup ## Build the container images (ENGINE), and print their sizes
	@$(PY) -m deploy.docker images $(if $(ENGINE),--engine '$(ENGINE)')

compose-test: setup ## Run docker-compose.yml: README's curl, three replicas, one of them killed
	@$(PY) -m deploy.docker compose-test $(if $(ENGINE),--engine '$(ENGINE)')

# The scanners need far more packages than the tests, in an environment of their own.
setup-scan:
	@PYTHON='$(PYTHON)' bash deploy/local/setup.sh scan

scan: setup-scan ## Scan Dockerfiles, manifests, secrets, packages; ARGS="images updates": the images
	@$(PY) -m deploy.scan $(ARGS) $(if $(ENGINE),--engine '$(ENGINE)')

# uv resolves for Python 3.11 on any machine; it lies in an environment of its own, so that
# it is no dependency of the product.
lock: ## Resolve pyproject.toml and the .in files again into requirements/*.txt, with hashes
	@test -x $(UV) || { $(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet uv; }
	@for extra in $(EXTRAS); do \
		$(LOCK) --extra $$extra pyproject.toml -o requirements/$$extra.txt; \
	done
	@$(LOCK) $(EXTRAS:%=--extra %) --extra dev pyproject.toml -o requirements/dev.txt
	@$(LOCK) --no-deps requirements/triton.in -o requirements/triton.txt
	@$(LOCK) --no-deps requirements/triton-engines.in -o requirements/triton-engines.txt
	@$(LOCK) requirements/scan.in -o requirements/scan.txt

clean: ## Stop the stack; remove its data, the environments and the caches
	@if [ -x $(PY) ]; then $(LAUNCHER) down --purge; fi
	@rm -rf .run .venv .venv-triton .venv-lock .venv-bench .venv-scan .unleash build dist htmlcov .coverage .coverage.* \
		.mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
