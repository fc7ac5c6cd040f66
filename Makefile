# The two commands of the README: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
JOBS ?= auto

.PHONY: demo test lint format docs figures wheel wheel-test matrix fuzz audit clean

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

# What is handed to others: a wheel and a source archive in dist/.
$(VENV)-release/bin/uv:
	$(PYTHON) -m venv $(VENV)-release
	$(VENV)-release/bin/python -m pip --disable-pip-version-check install --quiet 'uv>=0.5'

wheel: $(VENV)-release/bin/uv
	rm -rf dist
	$(VENV)-release/bin/uv build --quiet --out-dir dist .
	@ls -l dist

# The suite against the installed wheel, not this tree.
wheel-test: wheel
	$(PYTHON) -m venv --clear $(VENV)-wheel
	$(VENV)-wheel/bin/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt \
	  --requirement requirements-dev.txt "$$(ls dist/*.whl)[all]"
	$(VENV)-wheel/bin/python -m pip --disable-pip-version-check install --quiet --no-deps 'indra>=1.22'
	NOVELINK_INSTALLED=1 $(VENV)-wheel/bin/python -m pytest -n $(JOBS) $(ARGS)

# Every Python of this machine, lowest and newest dependencies, wheel and source archive.
matrix: $(VENV)-release/bin/uv
	$(VENV)-release/bin/python release/matrix.py $(ARGS)

# Coverage-guided fuzzing of all that reads foreign bytes, for so many seconds in all.
SECONDS ?= 600
FUZZ_OUT ?= out/fuzz
$(VENV)-fuzz/.done: pyproject.toml
	$(PYTHON) -m venv $(VENV)-fuzz
	$(VENV)-fuzz/bin/python -m pip --disable-pip-version-check install --quiet 'atheris>=3' 'coverage>=7' --editable '.[serve]'
	@touch $@

fuzz: $(VENV)-fuzz/.done
	$(VENV)-fuzz/bin/python fuzz/run.py --seconds $(SECONDS) --work $(FUZZ_OUT) $(ARGS)

# Known vulnerabilities of what constraints.txt pins; said loudly where nobody can be asked.
audit:
	@test -x $(VENV)-audit/bin/pip-audit || { $(PYTHON) -m venv $(VENV)-audit && \
	  $(VENV)-audit/bin/python -m pip --disable-pip-version-check install --quiet 'pip-audit>=2.7'; } || \
	  echo "AUDIT SKIPPED: pip-audit cannot be installed here"
	@test ! -x $(VENV)-audit/bin/pip-audit || $(VENV)-audit/bin/python release/audit.py

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
	rm -rf $(VENV) $(VENV)-* out build dist docs/_build docs/_generated
