# One place for the commands; every target works in .venv and node_modules, which are made on first use.
PYTHON ?= python
BIN := .venv/bin

.PHONY: run test quality style bench chaos load

run: $(BIN)/.runtime
	$(BIN)/python app.py

test: $(BIN)/.dev
	$(BIN)/pytest
	npm test

quality: $(BIN)/.dev node_modules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	npm run lint

style: $(BIN)/.dev node_modules
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	npm run format

bench: $(BIN)/.dev
	$(BIN)/python tests/bench/bench_metrics.py
	$(BIN)/python tests/bench/bench_calls.py bfloat16
	$(BIN)/python tests/bench/bench.py

chaos: $(BIN)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.bench.chaos

load: $(BIN)/.dev
	$(BIN)/python -m tests.bench.load

$(BIN)/python:
	$(PYTHON) -m venv .venv

$(BIN)/.runtime: requirements.txt | $(BIN)/python
	$(BIN)/pip install -r requirements.txt
	touch $@

$(BIN)/.dev: requirements-dev.txt $(BIN)/.runtime
	$(BIN)/pip install -r requirements-dev.txt
	touch $@

node_modules: package-lock.json
	npm ci
	touch $@
