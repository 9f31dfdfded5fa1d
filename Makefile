# Two commands are all a newcomer needs: `make demo` and `make test`. Neither needs root.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
JOBS ?= auto
# Simulated days under faults, one a seed; docs/guide/simulation.md.
SEEDS ?= 1..200

.PHONY: demo test check lint console nightly fuzz bench clean lock bench-console gallery

demo: $(STAMP) console
	$(BIN)/detente demo $(ARGS)

test: lint console
	scripts/console --if-possible check
	scripts/console --if-possible test
	-scripts/get-sample
	-scripts/oldest
	$(BIN)/detente simulate --seed $(SEEDS) --hours 24 --faults all
	$(BIN)/pytest -n $(JOBS) -m "not nightly"

check: lint console
	scripts/console --if-possible check
	scripts/console --if-possible test
	$(BIN)/pytest -n $(JOBS) -m "not nightly" -p no:cacheprovider tests/unit tests/meta src

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# The console's pages, built when their sources changed.
console: $(STAMP)
	scripts/console --if-possible

nightly: $(STAMP) console
	-scripts/get-sample
	-scripts/oldest
	$(BIN)/pytest -n $(JOBS) -m nightly
	$(BIN)/detente simulate --seed 1..10000 --hours 24 --faults all

# Every reader of others' bytes, fuzzed by coverage; needs atheris, which the lock file does not hold.
fuzz: $(STAMP)
	$(BIN)/python scripts/fuzz.py $(ARGS)

bench: $(STAMP)
	$(BIN)/detente bench $(ARGS)

# The console in headless Chromium: first view, alarm, pan, a day; and its pictures for the documents.
bench-console: $(STAMP)
	$(BIN)/python scripts/bench_console.py $(ARGS)

gallery: $(STAMP)
	$(BIN)/python scripts/gallery.py $(ARGS)

lock: $(STAMP)
	scripts/lock

# A virtual environment from the lock file, every package checked against its hash.
$(STAMP): requirements.lock requirements-node.lock pyproject.toml scripts/setup
	PYTHON="$(PYTHON)" scripts/setup
	touch $(STAMP)

clean:
	rm -rf .venv console/node_modules src/detente/node/static .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
