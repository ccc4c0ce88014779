# Everything runs in .venv, which each target sets up by itself.
# A machine needs Python 3.11 or newer (with venv), git and make; no compiler.

PYTHON ?= python3
WORKERS ?= auto
PYTEST_ARGS ?=

BIN := .venv/bin
READY := .venv/.ready
PARITY := .venv/.parity
RUFF_PATHS := graphc passes runtime frontend tests tools $(wildcard benchmarks examples)
MYPY_SCRIPTS := tools $(wildcard benchmarks examples)

.PHONY: help setup lint style layering types format test parity demo bench clean
.NOTPARALLEL:

help:
	@echo "make setup    create .venv and install graphc into it, editable, with the tools"
	@echo "make lint     style, layering and types; each is a target of its own"
	@echo "make format   rewrite the sources in the project's style"
	@echo "make test     all tests (PYTEST_ARGS='-k softmax' for some, WORKERS=4 for more cores)"
	@echo "make parity   the tests that compare with PyTorch, which it installs first"
	@echo "make demo     train on handwritten digits and show what the compiler did"
	@echo "make bench    compare with numpy and, where installed, PyTorch and JAX"
	@echo "make clean    remove .venv and everything that was generated"

setup: $(READY)

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "graphc needs Python 3.11 or newer: make setup PYTHON=/path/to/python3"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv || \
	    { echo "Python's venv module is missing; on Debian: apt install python3-venv"; exit 1; }
	@# setuptools warns that folders here are named as the package is: they are the package
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

lint: style layering types

style: $(READY)
	$(BIN)/ruff check $(RUFF_PATHS)
	$(BIN)/ruff format --check $(RUFF_PATHS)

layering: $(READY)
	$(BIN)/python -m pytest -q tests/test_layering.py

types: $(READY)
	$(BIN)/python tools/linktree.py
	$(BIN)/mypy -p graphc
	$(BIN)/mypy $(MYPY_SCRIPTS)

format: $(READY)
	$(BIN)/python tools/packages.py
	$(BIN)/ruff check --fix $(RUFF_PATHS)
	$(BIN)/ruff format $(RUFF_PATHS)

test: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

$(PARITY): $(READY)
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,parity]'
	@touch $@

parity: $(PARITY)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m parity $(PYTEST_ARGS)

demo: $(READY)
	$(BIN)/graphc demo

bench: $(READY)
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .tree .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist graphc.egg-info
	find graphc passes runtime frontend tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
