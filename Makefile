# Every target sets itself up: only Python >= 3.11 is needed. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.ready
# uv makes the second environment on a machine in seconds by hard links; INSTALLER=pip does without it.
INSTALLER ?= uv
UV_VERSION := 0.13.8

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all check format bench clean

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(SETUP)  ## Create or update .venv with the pinned packages

# Made anew only when a file that names packages changed.
$(SETUP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Python 3.11 to 3.13 is needed, {sys.executable} is {v[0]}.{v[1]}: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@echo "Setting up $(VENV): the first time downloads about 3 GB"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
ifeq ($(INSTALLER),uv)
	$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	$(BIN)/uv pip install --compile-bytecode --python $(BIN)/python -c constraints.txt -e '.[dev,bench]'
else
	$(BIN)/python -m pip install -c constraints.txt -e '.[dev,bench]'
endif
	@touch $@

demo: $(SETUP)  ## Run the whole chain on eight real mammograms, then on synthetic exams
	$(BIN)/python tools/run_demo.py

test: $(SETUP)  ## Run the default tests (under 10 minutes on 2 cores)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

test-all: $(SETUP)  ## Run every test, the slow ones as well
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "slow or not slow"

check: $(SETUP)  ## Lint, format and type checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(SETUP)  ## Format the code and mend what lint can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(SETUP)  ## Measure speed as ratios, both sides taking turns
	$(BIN)/python -m tools.benchmarks

clean:  ## Remove the environment and the caches; data and results stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
