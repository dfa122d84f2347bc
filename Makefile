# Consigne: the commands of the project. `make help` lists them; python3 (3.11 or newer) and make are all they need.

PYTHON ?= python3
VENV := .venv/bin
# A test file stays in one process: what its tests share (a broker, a locker) is started once.
PYTEST := $(VENV)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder
# Up to three that failed are run again, alone; what holds then is named as a race, and only what fails twice is red.
SUITE := $(PYTEST) || $(VENV)/python -m tools.second_look $$?

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench attack fuzz-console lock-boards power-cuts chaos fuzz-api idempotency simulate simulate-power lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 23

setup: ## .venv, MicroPython and Mosquitto; every other target does it first, and it is instant when nothing changed
	@$(PYTHON) -m tools.setup

demo: setup ## broker, gateway and two lockers to play with in a browser; ONCE=1 plays one journey by itself
	@$(VENV)/python -m tools.demo $(if $(ONCE),--once)

test: setup ## the whole test suite, the shared part on both interpreters
	@$(SUITE)

check: setup ## format, lint, types, tests
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(VENV)/basedpyright
	@$(SUITE)

bench: setup ## what is promised about speed and memory, measured on this machine
	@$(VENV)/python -m tools.bench

attack: setup ## a year of guessing at a locker's every input, in simulated time, and what it would come to
	@$(VENV)/python -m tools.attack --check

fuzz-console: setup ## a million random and hostile bytes at a locker's console; BYTES=N SEED=N
	PYTHONPATH=.:tests/device $(VENV)/python tests/device/console_fuzz.py $(or $(BYTES),1000000) $(or $(SEED),1)

lock-boards: setup ## 10,000 openings on each kind of lock board, one byte in a hundred damaged; OPENINGS=N for fewer
	PYTHONPATH=. $(VENV)/python tests/device/lock_board_campaign.py $(or $(OPENINGS),10000)

power-cuts: setup ## the power cut at every flash operation of a locker's day, and how long its flash lasts
	@$(VENV)/python -m tools.powercuts

chaos: setup ## ten minutes of everything being killed, cut, filled up and restored under load; SEED=N MINUTES=M
	@$(VENV)/python -m tools.chaos $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES))

idempotency: setup ## 1,000 acts by ten at once each, the gateway killed at random: one effect each; SEED=N KEYS=N
	PYTHONPATH=.:tests/gateway $(VENV)/python tests/gateway/idempotency_campaign.py \
	  $(if $(SEED),--seed $(SEED)) $(if $(KEYS),--keys $(KEYS))

fuzz-api: setup ## schemathesis on the OpenAPI document as each role; SEED=N EXAMPLES=N of each operation (200)
	PYTHONPATH=.:tests/gateway $(VENV)/python tests/gateway/api_fuzz.py \
	  $(if $(SEED),--seed $(SEED)) --examples $(or $(EXAMPLES),200)

simulate: setup ## whole towns in virtual time, with everything going wrong; SEEDS=N (200), or SEED=N for one of them
	@$(VENV)/python -m tools.sim $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),200))

simulate-power: setup ## the same with deliberate faults in the product, one at a time: each must be caught
	@$(VENV)/python -m tools.sim --power --seeds $(or $(SEEDS),200)

lock: setup ## pin every package anew from pyproject.toml into requirements.lock
	$(VENV)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --quiet --upgrade --output-file requirements.lock

clean: ## remove what the other targets made here (the cache of fetched packages stays)
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis build typings
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
