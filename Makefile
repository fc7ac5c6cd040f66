# The two commands of the README: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
JOBS ?= auto

.PHONY: demo test lint format docs figures clean

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml | $(VENV)/bin/python
	@echo "Installing novelink into $(VENV) (no torch; about a minute)"
	@$(PIP) install --quiet --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt requirements-dev.txt | $(VENV)/bin/python
	$(PIP) install --quiet --constraint constraints.txt --requirement requirements-dev.txt --editable '.[all]'
	@# Only its statement schema is wanted: INDRA's own dependencies come to 700 MB.
	$(PIP) install --quiet --no-deps 'indra>=1.22'
	@touch $@ $(VENV)/.base

demo: $(VENV)/.base
	@mkdir -p out
	$(BIN)/novelink extract examples/abstracts.pubtator examples/abstracts.json -o out/relations.jsonl
	$(BIN)/novelink show out/relations.jsonl
	@echo
	@echo "The relations are in out/relations.jsonl, one document a line."
	@echo "Your own abstracts: $(BIN)/novelink extract FILE   (all of it: $(BIN)/novelink --help)"

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

$(VENV)/.docs: pyproject.toml constraints.txt requirements-docs.txt | $(VENV)/bin/python
	$(PIP) install --quiet --constraint constraints.txt --requirement requirements-docs.txt --editable '.[serve]'
	@touch $@ $(VENV)/.base

# Warnings are errors; nothing is fetched while it builds.
docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "The documentation is in docs/_build/html/index.html"

# docs/figures.md and its plots, from benchmarks/results; after every new result.
figures: $(VENV)/.dev
	$(BIN)/python benchmarks/figures.py

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) out build dist docs/_build docs/_generated
