# The two commands of the README are 'make demo' and 'make test'; 'make check' is what a contributor runs before a commit.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
OUT ?= out/demo
# checks of the command line's contracts from outside, run where the file is there
CONTRACT ?= ../shared/contract.py

export TF_CPP_MIN_LOG_LEVEL ?= 3
export PATH := $(abspath $(BIN)):$(PATH)

.PHONY: help install demo test contract check static fast-tests benchmarks clean

help:
	@echo 'make demo    install into $(VENV), certify the real models of fixtures/, write $(OUT)/report.html'
	@echo 'make test    install, run every test'
	@echo 'make check   install, run ruff, mypy, import-linter and the fast tests'
	@echo 'make clean   remove $(VENV), out/ and caches'

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[pytorch,tensorflow,dev]'
	touch $@

demo: install
	$(BIN)/assay certify fixtures/*/*.assay.yaml --output $(OUT)

test: install
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile
	@if [ -f $(CONTRACT) ]; then $(MAKE) --no-print-directory contract; fi

contract: install
	$(BIN)/python $(CONTRACT)

check: static fast-tests

static: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

fast-tests: install
	$(BIN)/python -m pytest --quiet --numprocesses 2 --dist loadfile -m 'not slow and not real and not gpu'

clean:
	rm -rf $(VENV) out build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
