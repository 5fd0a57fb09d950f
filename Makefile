# make demo shows the linter at work; make test runs everything that CI runs. Nothing but Python 3.11+, git and make is needed.
BIN := .venv/bin

.PHONY: help demo test lint types contracts unit self generated-check generated picture bench bench-runtime drills package clean

help:
	@echo "make demo       set up, then find the faults planted in examples/unsafe-shop"
	@echo "make test       set up, then run everything that CI runs"
	@echo "make generated  regenerate the README's rule table and the JSON schemas"
	@echo "make picture    regenerate docs/demo.svg from the demo's real output"
	@echo "make bench      time one file and a project of 4,000 files"
	@echo "make bench-runtime  time the runtime beside DBOS, Procrastinate and Celery, and count what each loses under kill -9 (half an hour)"
	@echo "make drills     the runtime's drills in full: kills, crashes, limits, on both databases, with their figures (some 20 minutes)"
	@echo "make package    build wheel and sdist, and try the wheel in a fresh environment"
	@echo "make clean      remove .venv, builds and caches"

.venv/.installed: pyproject.toml tools/venv.sh
	@tools/venv.sh

.venv/.installed-test: pyproject.toml tools/venv.sh
	@tools/venv.sh test

.venv/.installed-bench: pyproject.toml tools/venv.sh
	@tools/venv.sh bench

demo: .venv/.installed
	@echo "$$ guardrails check examples/unsafe-shop"
	@echo
	@$(BIN)/guardrails check examples/unsafe-shop; status=$$?; \
	if [ $$status -ne 1 ]; then echo "make demo: expected exit status 1 (findings), got $$status" >&2; exit 1; fi
	@echo "Exit status 1, as expected: there are findings, and in CI they would stop the change."
	@echo
	@echo "$$ guardrails check examples/safe-shop   # the same shop, mended"
	@echo
	@$(BIN)/guardrails check examples/safe-shop
	@echo
	@echo "Now yours:  $(BIN)/guardrails check path/to/project"

test: lint types contracts generated-check unit self
	@echo "All checks passed."

lint: .venv/.installed-test
	@echo "ruff: style and common mistakes"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "Run: $(BIN)/ruff format ." >&2; exit 1; }

types: .venv/.installed-test
	@echo "mypy: strict types"
	@$(BIN)/mypy --strict --no-error-summary

contracts: .venv/.installed-test
	@echo "import-linter: floors are kept"
	@PYTHONPATH=. $(BIN)/lint-imports --no-logo > .venv/contracts.txt 2>&1 || { cat .venv/contracts.txt >&2; exit 1; }

generated-check: .venv/.installed-test
	@echo "generated files: current"
	@$(BIN)/python tools/generate.py --check

unit: .venv/.installed-test
	@echo "pytest: rule pages, cases, examples, properties, packaging"
	@$(BIN)/python -m pytest -q -n 3 --dist worksteal  # three for two cores: a third of the time tests wait for processes

self: .venv/.installed-test
	@echo "guardrails: our own code"
	@$(BIN)/guardrails check guardrails tools
	@echo "guardrails init: our own instruction files are current"
	@$(BIN)/guardrails init --check > /dev/null

generated: .venv/.installed
	@$(BIN)/python tools/generate.py

picture: .venv/.installed
	@echo "Drawing docs/demo.svg"
	@$(BIN)/python tools/picture.py

bench: .venv/.installed
	@$(BIN)/python tools/bench.py

bench-runtime: .venv/.installed-bench
	@$(BIN)/python -m benchmarks.runtime

drills: .venv/.installed-test
	@rm -f .venv/drills.txt
	@DRILLS=full DRILLS_FIGURES=$(CURDIR)/.venv/drills.txt $(BIN)/python -m pytest -q tests/runtime/test_drill_*.py; status=$$?; \
	sort -V .venv/drills.txt; exit $$status

package: .venv/.installed-test
	@$(BIN)/python tools/package.py

clean:
	@echo "Removing .venv, builds and caches"
	@rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
