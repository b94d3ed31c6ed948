# `make help` lists what there is. Everything runs in .venv, made on first use from pyproject.toml.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
SHELL := /bin/bash

.DEFAULT_GOAL := help
.PHONY: help install demo test check bench soak format clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

install: $(STAMP) ## make .venv and install the gateway with its tools

demo: $(STAMP) ## the main job, live: a service, an issuer, the gateway, and the story told on them
	@$(BIN)/gateway demo $(DEMO)

test: $(STAMP) ## the whole test suite, two files at a time: each has folders, ports and processes of its own
	@$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(STAMP) ## what CI checks before the tests: formatting, lint, types, layout
	@$(BIN)/ruff format --check --quiet gateway tests
	@$(BIN)/ruff check --quiet gateway tests
	@$(BIN)/mypy
	@$(BIN)/gateway policy fmt --check policies
	@$(BIN)/pytest tests/test_layout.py tests/test_docs.py

bench: $(STAMP) ## measure: a table and build/bench.json (uses nginx, wrk and cedarpy where they can be had)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]' || true
	@$(BIN)/python -m tests.bench

soak: $(STAMP) ## long runs: faults, fuzzing, differential tests
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[soak]' || true
	@$(BIN)/python -m tests.soak

format: $(STAMP) ## rewrite the sources in the house format
	@$(BIN)/ruff format --quiet gateway tests
	@$(BIN)/ruff check --quiet --fix gateway tests

clean: ## remove what was built, keep .venv
	@rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
