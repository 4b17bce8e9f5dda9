# The README's two commands are `make demo` and `make test`; each sets up what it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
HOUSEHOLDS ?=
PROTO := $(wildcard proto/commonground/v1/*.proto)
PACKAGES := commonground languages psi privacy reports audit party server client
KERNEL := $(VENV)/.kernel
KERNEL_BUILT := $(or $(CARGO_TARGET_DIR),kernel/target)/release
KERNEL_SOURCES := $(shell find kernel -path kernel/target -prune -o -name '*.rs' -print \
	-o -name '*.toml' -print -o -name '*.pyi' -print -o -path 'kernel/backend/*.py' -print)

# Without compiled sources beside them every start of the program compiles them all again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: console-looks sbom licences openlineage fuzz hostile failover help engine kernel kernel-test kernel-asan kernel-soak demo demo-coverage test lint format messages proto bench bench-large bench-attribution wheel soak soak-network dropouts coverage coverage-sums dp-audit tampering bench-identity accounting clean bench-log bench-console log-kills chaos

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (a minute, once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# What runs people's data is as fast as it can be made here; without cargo it is slower, and works.
engine: $(READY)
	@{ command -v cargo >/dev/null && $(MAKE) --no-print-directory kernel; } || \
		echo "Going on without the native kernel, at a sixth of its speed or less: see make kernel"

kernel: $(KERNEL) ## Build the native kernel and install it into .venv; needs cargo, 1.89 or later

$(KERNEL): $(KERNEL_SOURCES) | $(READY)
	@command -v cargo >/dev/null || { echo "There is no cargo: install Rust 1.89 or later"; false; }
	@echo "Building the native kernel (a minute or two, once) ..."
	@rm -rf build/kernel
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation -w build/kernel ./kernel
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-index \
		--force-reinstall build/kernel/*.whl
	@touch $@

kernel-test: $(KERNEL) ## Format, lints and tests of the kernel's Rust, and its ladders' machine code
	cargo fmt --all --check --manifest-path kernel/Cargo.toml
	cargo clippy --quiet --release --all-targets --manifest-path kernel/Cargo.toml -- -D warnings
	cargo test --quiet --profile tested --manifest-path kernel/Cargo.toml \
		-p commonground-kernel-core --lib --tests
	cargo build --quiet --release --manifest-path kernel/Cargo.toml --lib --example planted
	$(BIN)/python kernel/checks/constant_time.py $(KERNEL_BUILT)/libcommonground_kernel.so
	$(BIN)/python kernel/checks/constant_time.py --expect-refusal $(KERNEL_BUILT)/examples/planted

kernel-asan: ## Tests of the kernel's Rust under AddressSanitizer
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CARGO_PROFILE_RELEASE_LTO=off cargo test --quiet --release \
		--target $$(rustc -vV | sed -n 's/^host: //p') --manifest-path kernel/Cargo.toml \
		-p commonground-kernel-core

kernel-soak: SECONDS ?= 600
kernel-soak: ## RFC 7748 a million times, then the tiers on made-up inputs: SECONDS=600
	cargo test --quiet --release --manifest-path kernel/Cargo.toml -p commonground-kernel-core \
		--test rfc -- --ignored
	cargo run --quiet --release --manifest-path kernel/Cargo.toml -p commonground-kernel-core \
		--example differential -- $(SECONDS) $$(date +%s)

fuzz: MINUTES ?= 30
fuzz: engine ## Parsers under atheris, then the kernel's tiers against each other: MINUTES=30
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[fuzz]' || \
		echo "There is no atheris for this machine: parsers get mutants of well-formed inputs"
	@$(BIN)/python tests/fuzz/run.py --minutes $(MINUTES)
	@command -v cargo >/dev/null || { echo "There is no cargo: the kernel is not fuzzed"; false; }
	cargo run --quiet --release --manifest-path kernel/Cargo.toml -p commonground-kernel-core \
		--example differential -- $$(($(MINUTES) * 6)) $$(date +%s)

demo: engine ## Three organisations on this machine: match, reports, verified logs
	@$(BIN)/python -m examples.demo $(if $(HOUSEHOLDS),--households $(HOUSEHOLDS))

log-kills: $(READY) ## Kill -9 between any two writes of the log: KILLS=200 at random besides
	@$(BIN)/python tests/simulation/log_kills.py $(if $(KILLS),$(KILLS),200)

demo-coverage: $(READY) ## Intervals of simulated releases of the demo's reach table: RUNS=300, a plot
	@$(BIN)/python -m examples.demo.coverage $(if $(HOUSEHOLDS),--households $(HOUSEHOLDS)) \
		$(if $(RUNS),--runs $(RUNS))

# In the order of the folders, long files first: otherwise a worker ends alone with one of them. One
# worker more than there are processors, since tests with processes wait for disk and slow roads.
test: WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
test: engine ## The whole suite: WORKERS=3
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

console-looks: PICTURES ?= build/console
console-looks: engine ## The console in Chromium, in every way it looks, and tables: PICTURES=build/console
	@mkdir -p $(PICTURES)
	COMMONGROUND_CONSOLE_PICTURES=$(abspath $(PICTURES)) $(BIN)/python -m pytest -q -n 0 \
		tests/console/test_looks.py tests/e2e/test_console_analyst.py \
		tests/e2e/test_console_officer.py tests/e2e/test_console_operator.py \
		tests/console/test_security.py::test_every_route_turns_away_whom_it_is_not_for \
		tests/console/test_api.py::test_each_call_is_for_its_roles_alone
	@cat $(PICTURES)/*.md

lint: $(READY) ## Format, lint, types, layers, generated code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -q -n 0 tests/vectors/test_generated_proto.py

format: $(READY) ## Put the code into its format
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

messages: $(READY) ## Print the messages that a catalogue in languages/ still lacks
	@$(BIN)/python tests/property/message_sources.py

proto: $(READY) ## Generate commonground/v1 from proto/
	$(BIN)/python -m grpc_tools.protoc -I proto --python_out=. --pyi_out=. --grpc_python_out=. \
		$(PROTO)

wheel: $(READY) ## Build the wheel into build/dist
	@rm -rf build/dist
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation -w build/dist .
	@ls build/dist/*.whl

sbom: engine ## What the product runs with, as CycloneDX into build/sbom/, with licences that may ship
	@$(BIN)/python packaging/sbom.py build/sbom

licences: engine ## Write docs/licences.md: the licence of everything that ships
	@$(BIN)/python packaging/sbom.py --page docs/licences.md

failover: $(READY) ## A PostgreSQL primary killed under spenders, its standby takes over: SEEDS=20
	@PYTHONPATH=. $(BIN)/python tests/simulation/failover.py $(if $(SEEDS),$(SEEDS),20)

soak: $(READY) ## Small sessions by eight counterparts against one serve: SESSIONS=200 MINUTES=15
	@$(BIN)/python tests/soak/serving.py --sessions $(if $(SESSIONS),$(SESSIONS),200) \
		--minutes $(if $(MINUTES),$(MINUTES),15)

soak-network: $(READY) ## Two and three parties over a network that loses and repeats: SEEDS=200 runs
	@$(BIN)/python tests/simulation/soak.py $(if $(SEEDS),$(SEEDS),200)

chaos: engine ## Kill, cut, stall and fill under real sessions, seeded; root, half an hour: SEED=1 PLAY=17
	@$(BIN)/python tests/chaos/chaos.py --seed $(if $(SEED),$(SEED),1) \
		$(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(JOBS),--jobs $(JOBS)) $(if $(PLAY),--play $(PLAY))

openlineage: $(READY) ## Events of a session against OpenLineage's published schemas: SPEC=DIR of its checkout
	@$(BIN)/python tests/openlineage_events.py $(SPEC)

hostile: $(READY) ## A counterpart that lies at every step: status, incident and memory of each lie
	@$(BIN)/python tests/hostile/table.py

dropouts: $(READY) ## What three logs say when one of three drops out or fails, in each phase
	@$(BIN)/python tests/simulation/dropouts.py

coverage: $(READY) ## How often 95% intervals hold, for every kind of report: RUNS=2000
	@$(BIN)/python tests/simulation/coverage_table.py $(if $(RUNS),$(RUNS),2000)

tampering: $(READY) ## Tamper with logs and evidence in every way, and show who finds it
	@$(BIN)/python tests/simulation/tampering.py

dp-audit: $(READY) ## Audit the privacy of every kind of report from outside, with mutants: RUNS=40000
	@$(BIN)/python tests/simulation/dp_table.py $(if $(RUNS),$(RUNS),40000)

coverage-sums: RUNS ?= 2000
coverage-sums: $(READY) ## Hold the intervals of sums from counts in many seeded runs: RUNS=2000
	@COVERAGE_RUNS=$(RUNS) $(BIN)/python -m pytest -q -s -n 0 tests/simulation/test_sums_coverage.py

bench: engine ## Ratios in one run, into build/bench/; PEERS_DIR=DIR runs the peers beside
	$(BIN)/python -m benchmarks $(if $(SIZES),--sizes $(SIZES))

bench-large: engine ## Sessions of one and ten million people a side: tens of minutes, 10 GB
	$(BIN)/python -m benchmarks --large

bench-attribution: engine ## Attribution of a million touched people, then a table of as many points
	$(BIN)/python -m benchmarks.attribution --table $(if $(PEOPLE),--people $(PEOPLE))

bench-log: $(READY) ## A log of a million entries: append, receipt, tree, verify: ENTRIES=1000000
	$(BIN)/python -m benchmarks.log $(if $(ENTRIES),--entries $(ENTRIES))

bench-console: $(READY) ## Pages over 10,000 requests, a log of a million: REQUESTS=10000 ENTRIES=1000000
	$(BIN)/python -m benchmarks.console $(if $(REQUESTS),--requests $(REQUESTS)) \
		$(if $(ENTRIES),--entries $(ENTRIES))

bench-identity: $(READY) ## Ten million rows of identifiers to persons: minutes, 4 GB
	$(BIN)/python -m benchmarks.identity

ACCOUNTING := build/accounting
accounting: ## Compute tests/vectors/accounting.json again with dp-accounting, and compare: a minute
	@test -x $(ACCOUNTING)/bin/python || $(PYTHON) -m venv $(ACCOUNTING)
	@$(ACCOUNTING)/bin/python -m pip install --quiet --disable-pip-version-check dp-accounting==0.6.0
	@$(ACCOUNTING)/bin/python tests/vectors/accounting_maker.py --check

clean: ## Remove what was built here
	rm -rf $(VENV) build kernel/target .mypy_cache .ruff_cache .pytest_cache .hypothesis
