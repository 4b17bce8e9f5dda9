# The README's two commands are `make demo` and `make test`; each sets up what it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
HOUSEHOLDS ?=
PROTO := $(wildcard proto/commonground/v1/*.proto)
PACKAGES := commonground psi privacy reports audit party server client

.DEFAULT_GOAL := help
.PHONY: help demo test lint format proto bench bench-large wheel soak bench-identity clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (a minute, once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY) ## Two organisations on this machine: match, reach report, verified logs
	@$(BIN)/python -m examples.demo $(if $(HOUSEHOLDS),--households $(HOUSEHOLDS))

test: $(READY) ## The whole suite
	@$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(READY) ## Format, lint, types, layers, generated code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -q -n 0 tests/vectors/test_generated_proto.py

format: $(READY) ## Put the code into its format
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

proto: $(READY) ## Generate commonground/v1 from proto/
	$(BIN)/python -m grpc_tools.protoc -I proto --python_out=. --pyi_out=. --grpc_python_out=. \
		$(PROTO)

wheel: $(READY) ## Build the wheel into build/dist
	@rm -rf build/dist
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation -w build/dist .
	@ls build/dist/*.whl

soak: $(READY) ## Two parties over a network that loses and repeats: SEEDS=200 runs, then it stops
	@$(BIN)/python tests/simulation/soak.py $(if $(SEEDS),$(SEEDS),200)

bench: $(READY) ## Ratios in one run, into build/bench/; PEERS_DIR=DIR runs the peers beside
	$(BIN)/python -m benchmarks $(if $(SIZES),--sizes $(SIZES))

bench-large: $(READY) ## Sessions of one and ten million people a side: tens of minutes, 10 GB
	$(BIN)/python -m benchmarks --large

bench-identity: $(READY) ## Ten million rows of identifiers to persons: minutes, 4 GB
	$(BIN)/python -m benchmarks.identity

clean: ## Remove what was built here
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis
