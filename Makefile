# One place for the commands; every target works in .venv and node_modules, which are made on first use.
PYTHON ?= python
BIN := .venv/bin

.PHONY: run test pythons quality style bench race chaos load lock audit

run: $(BIN)/.runtime
	$(BIN)/python app.py

test: $(BIN)/.dev
	$(BIN)/pytest
	npm test

pythons: $(BIN)/python
	$(BIN)/pip install --quiet "nox>=2026.10,<2027"
	$(BIN)/nox

quality: $(BIN)/.dev node_modules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	npm run lint

style: $(BIN)/.dev node_modules
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	npm run format

# A target that is missed does not keep the others from being measured.
bench: $(BIN)/.dev
	@missed=0; \
	$(BIN)/python tests/bench/bench_metrics.py || missed=1; \
	$(BIN)/python tests/bench/bench_calls.py bfloat16 || missed=1; \
	$(BIN)/python tests/bench/bench.py || missed=1; \
	exit $$missed

race: $(BIN)/.dev
	$(BIN)/python benchmarks/sampling.py
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/normalisation.py
	$(BIN)/python benchmarks/environment.py benchmarks/training_peer.py
	$(BIN)/python tests/bench/bench_metrics.py

chaos: $(BIN)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.bench.chaos

load: $(BIN)/.dev
	$(BIN)/python -m tests.bench.load

# Where torch's builds for processors are found; a folder with the wheel does, too: make lock TORCH="--find-links FOLDER"
TORCH ?= --torch-backend cpu
lock: $(BIN)/python
	$(BIN)/pip install uv
	$(BIN)/uv pip compile requirements.txt -o requirements.lock --quiet --generate-hashes --custom-compile-command "make lock" \
		--python-version 3.11 --python-platform x86_64-manylinux_2_28 --no-emit-index-url --no-emit-find-links $(TORCH)

audit:
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/pip install --quiet "pip-audit>=2.10,<3"
	.venv-audit/bin/python tests/audit.py

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
