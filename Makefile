# Every target makes what it needs: a virtual environment in .venv, and in it the groups of pyproject.toml that the
# target asks for. A stamp says which group is installed; it is older than a changed pyproject.toml.
PYTHON ?= python3
WORKERS ?= 3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test test-large test-all lint format typing layers conformance soak lowest audit nightly fuzz docs site emit-check emit bench bench-quick bench-shell bench-tasks bench-guard growth clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.dynclient-all ## start the mock server and make real calls to it
	@$(BIN)/python tools/demo.py

test: $(VENV)/.dynclient-test ## run the test suite
	@$(BIN)/python -m pytest -q -n $(WORKERS) -m "not large" $(ARGS)

test-large: $(VENV)/.dynclient-test ## run the tests that take minutes, most with large documents of DYNCLIENT_SHARED
	@$(BIN)/python -m pytest -q -n $(WORKERS) -m large --ignore tests/test_site.py $(ARGS)

test-all: ## run the test suite on each Python from 3.11 to 3.13 that is installed
	@bash .ci/test-all $(ARGS)

lint: $(VENV)/.dynclient-lint ## check style and format
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .

format: $(VENV)/.dynclient-lint ## fix style and format
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

typing: $(VENV)/.dynclient-lint ## check types: mypy on the packages, mypy and pyright on tests/typing
	@$(BIN)/mypy
	@$(BIN)/mypy tests/typing/*.py
	@$(BIN)/pyright --warnings

layers: $(VENV)/.dynclient-lint ## check that packages import only from lower layers
	@$(BIN)/lint-imports --no-logo

conformance: $(VENV)/.dynclient-all ## run the Spector suite, and MCP's (needs node, and the network the first time)
	@DYNCLIENT_PYTHON=$(abspath $(BIN)/python) bash tests/conformance/run.sh $(ARGS)

soak: $(VENV)/.dynclient-test ## a minute of calls by 32 threads, of which 2 % fail; prints figures
	@$(BIN)/python tests/faults/soak.py $(ARGS)

lowest: ## run the core of the suite with the lowest versions that pyproject.toml allows
	@PYTHON=$(PYTHON) bash .ci/lowest $(ARGS)

audit: $(VENV)/.dynclient-lint ## ask for known vulnerabilities of what is installed (needs the network)
	@$(PIP) install "pip-audit>=2.7"
	@mkdir -p build
	@$(BIN)/python -m pip freeze --exclude-editable > build/installed.txt
	@$(BIN)/pip-audit --strict --disable-pip --no-deps --progress-spinner off -r build/installed.txt $(ARGS)

nightly: $(VENV)/.dynclient-test ## search longer for documents, bodies, headers and changes that cause failures
	@HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -q -n $(WORKERS) --timeout 3600 tests/faults/test_anything.py $(ARGS)
	@DYNCLIENT_PAIRS=20000 $(BIN)/python -m pytest -q -n $(WORKERS) --timeout 3600 tests/changes/test_values.py tests/changes/test_requests.py
	@HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -q -n $(WORKERS) --timeout 3600 tests/bulk/test_crashes.py

fuzz: $(VENV)/.dynclient-test ## fuzz with atheris, guided by coverage (SECONDS=100 for each of three targets)
	@$(PIP) install "atheris>=2.3"
	@for target in document body wire; do $(BIN)/python tests/faults/fuzz.py $$target -max_total_time=$(or $(SECONDS),100) $(ARGS) || exit 1; done

docs: $(VENV)/.dynclient-test ## run the manual's examples; emit reference pages of our documents into build/docs
	@$(BIN)/python -m pytest -q tests/test_readme.py
	@for name in voice orders; do $(BIN)/dynclient docs openapi/$$name.yaml --out build/docs/$$name; done

site: $(VENV)/.dynclient-test ## build the manual's site strictly into build/site, and check its links
	@$(BIN)/python -m pytest -q -m large tests/test_site.py $(ARGS)

emit-check: $(VENV)/.dynclient-test ## compare docs/reference with the output of the tools
	@$(BIN)/dynclient generate --check

emit: $(VENV)/.dynclient-test ## rewrite what emit-check compares; read the difference before you commit it
	@DYNCLIENT_GOLDEN=write $(BIN)/python -m pytest -q tests/tools/test_golden.py
	@$(BIN)/dynclient generate

bench: $(VENV)/.dynclient-bench ## measure next to limits and peers, about ten minutes (DOCUMENTS="a.json b.yaml", ARGS=--help)
	@$(BIN)/python -m benchmarks $(DOCUMENTS) $(ARGS)

bench-quick: $(VENV)/.dynclient-bench ## the same without peers, about two minutes
	@$(BIN)/python -m benchmarks --without-peers --runs 3 --rounds 11 $(DOCUMENTS) $(ARGS)

growth: $(VENV)/.dynclient-test ## print how time and memory grow with the size of what a server sends (ARGS="--sizes 1 4 16")
	@$(BIN)/python -m benchmarks.growth $(ARGS)

bench-guard: $(VENV)/.dynclient-bench ## fail if a ratio is far above its goal
	@$(BIN)/python -m benchmarks.guard

bench-tasks: build/bench/tasks/.installed ## measure the asynchronous transport next to threads and peers (ARGS=--trio)
	@build/bench/tasks/bin/python benchmarks/tasks.py $(ARGS)

bench-shell: $(VENV)/.dynclient-bench ## measure what the command line costs before it sends
	@$(BIN)/python benchmarks/shell.py --runs $(or $(RUNS),7) $(firstword $(DOCUMENTS) openapi/voice.yaml)

clean: ## remove everything that was built
	@rm -rf $(VENV) .venvs .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else f"dynclient needs Python 3.11 or newer, $(PYTHON) is {sys.version.split()[0]}: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.dynclient-all: pyproject.toml | $(BIN)/python
	@$(PIP) install -e ".[all,mcp]"
	@touch $@

$(VENV)/.dynclient-bench: pyproject.toml | $(VENV)/.dynclient-all
	@$(PIP) install "orjson>=3.10"
	@touch $@

# Peers in one process with us, so in an environment of their own: type checkers must not find them in ours.
build/bench/tasks/.installed: pyproject.toml
	@mkdir -p build/bench
	@$(PYTHON) -m venv build/bench/tasks
	@build/bench/tasks/bin/python -m pip --disable-pip-version-check -q -q install -e "." httpx httpx2 aiohttp trio
	@touch $@

# pip has dependency groups since 25.1; a new virtual environment may come with an older one.
$(VENV)/.dynclient-test: pyproject.toml | $(VENV)/.dynclient-all
	@$(PIP) install --upgrade "pip>=25.1"
	@$(PIP) install --group test
	@touch $@

$(VENV)/.dynclient-lint: pyproject.toml | $(VENV)/.dynclient-all
	@$(PIP) install --upgrade "pip>=25.1"
	@$(PIP) install --group lint
	@touch $@
