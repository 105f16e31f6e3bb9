# make demo, make test: each does its own set-up, on any machine with make and Python 3.11 or newer.

VENV := .venv
PYTHON_IN_VENV := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed

# The first Python that is new enough; `make PYTHON=… demo` names another.
FIND_PYTHON = for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done
PYTHON ?= $(shell $(FIND_PYTHON))

# Two workers, one torch thread each: more threads than cores only slow the tests down.
JOBS ?= 2

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

.PHONY: help install demo test lint format golden clean
.DEFAULT_GOAL := help

help:
	@echo "make demo     check, compile and train the digits example"
	@echo "make test     lint, type check and run the tests"
	@echo "make lint     ruff and mypy only"
	@echo "make format   let ruff rewrite the sources"
	@echo "make golden   write the expected reports, and the outputs in the docs, anew"
	@echo "make clean    remove everything that the above made"

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "catdl needs Python 3.11 or newer; none was found (try: make PYTHON=/path/to/python)" >&2; exit 1; }
	@echo "Setting up $(VENV) (the first time this takes two minutes or three) ..."
	@"$(PYTHON)" -m venv $(VENV)
	@$(PYTHON_IN_VENV) -m pip install --quiet --constraint constraints.txt --editable '.[dev,parity]'
	@touch $@

demo: $(INSTALLED)
	@$(PYTHON_IN_VENV) examples/demo.py

test: lint
	OMP_NUM_THREADS=1 $(PYTHON_IN_VENV) -m pytest --numprocesses $(JOBS) --dist worksteal

lint: $(INSTALLED)
	$(PYTHON_IN_VENV) -m ruff check
	$(PYTHON_IN_VENV) -m ruff format --check
	$(PYTHON_IN_VENV) -m mypy

format: $(INSTALLED)
	$(PYTHON_IN_VENV) -m ruff check --fix
	$(PYTHON_IN_VENV) -m ruff format

# What the messages are expected to say: read the diff before you commit it.
golden: $(INSTALLED)
	CATDL_WRITE_DOCS=1 $(PYTHON_IN_VENV) -m pytest -q tests/check/test_goldens.py tests/cli/test_golden.py \
		tests/diagnostics/test_pages.py tests/test_docs.py --update-golden

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
