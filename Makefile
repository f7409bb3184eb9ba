# Latchkey's tasks. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help run release deb test test-swift test-blackbox example lint layers specs docs docs-check pictures bench gates growth faults clean

help: ## List these tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build for release and start the demo; ARGS="--port 3999" goes to it
	@scripts/run $(ARGS)

release: ## Build the program for release, into .build/release
	@scripts/install run && bash -c 'set -e; . scripts/shared.sh; build_release latchkey'

deb: ## Build the Debian package of a release into .build/packages
	@scripts/install deb && scripts/deb

test: ## Run every test, on SQLite and on a throw-away PostgreSQL
	@scripts/test

test-swift: ## Run the Swift tests only; ARGS="--filter NAME" goes to swift test
	@scripts/test swift $(ARGS)

test-blackbox: ## Run the black-box tests only; ARGS="-k NAME" goes to pytest
	@scripts/test blackbox $(ARGS)

example: ## Compile Examples/GuardedAPI against the debug build
	@scripts/example

lint: ## Check format, layers, specifications, generated docs, Python and shell scripts
	@scripts/lint

layers: ## Check that each target imports only what the architecture lets it
	@python3 scripts/layers.py

specs: ## Check docs/specifications.md against the sources and the tests
	@python3 scripts/specs.py

docs: ## Write docs/configuration.md from the settings
	@scripts/docs

docs-check: ## Say whether docs/configuration.md is up to date
	@scripts/docs --check

pictures: ## Take the pictures of README.md again, from the debug build; ARGS="console" takes one
	@scripts/pictures $(ARGS)

faults: ## Break it on purpose and check that nothing is lost; ARGS="-k F04" picks one fault
	@scripts/faults $(ARGS)

bench: ## Measure a release build on both databases, in twenty minutes; ARGS="--quick" goes to it
	@scripts/bench $(ARGS)

gates: ## Count what the hot paths cost and compare with docs/performance.md; ARGS="--write" stores
	@scripts/gates $(ARGS)

growth: ## Measure what ten million connections cost: an hour and 15 GB; ARGS="--sizes 10000,1000000" goes to it
	@scripts/growth $(ARGS)

clean: ## Remove what was built, the tests' Python packages and the demo's data
	rm -rf .build .venv .ruff_cache .pytest_cache bench-results fault-results latchkey-data
	find Tests scripts \( -name __pycache__ -o -name .pytest_cache -o -name .ruff_cache \) -type d -prune -exec rm -rf {} +
