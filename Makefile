# `make` lists the targets. ARGS are passed on: make run ARGS="--port 9000"

.DEFAULT_GOAL := help
.PHONY: help run web web-check web-dev web-test screenshot clients-test test test-all check schema format contract bench chaos lock clean

bin := .venv/bin
# One process more than processors, because tests also wait for others.
pytest := $(bin)/python -m pytest --numprocesses $$(($$(nproc) + 1)) --dist loadfile --no-loadscope-reorder
packages := $(wildcard config waiting models metering billing webhooks schema resolvers transport workers metergraph benchmarks scripts clients/python/metergraph_client tests)

help: ## List the targets
	@echo "Usage: make TARGET [ARGS=...] [PYTHON=...]"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' Makefile | \
		while IFS='|' read -r target text; do printf '%-12s %s\n' "$$target" "$$text"; done

run: ## Run everything: servers, API and worker (ARGS="--port 9000")
	@scripts/environment requirements.txt scripts/port $(ARGS)
	@exec $(bin)/metergraph dev $(ARGS)

web: ## Build the web pages, which are committed (needs Node.js 20.19 or later)
	@exec scripts/node web npm run build

web-check: ## Check format, lint and types of the web pages, and run their unit tests
	@scripts/node web npm run check
	@exec scripts/node web npm test

web-dev: ## Serve the web pages as they are edited, beside `make run`
	@exec scripts/node web npm run dev

web-test: ## Test the web pages in Chromium (ARGS="printing --headed")
	@scripts/environment requirements-dev.txt
	@CHROMIUM="$(CHROMIUM)" exec scripts/web-test $(ARGS)

screenshot: ## Take the picture of the dashboard that the README begins with
	@scripts/environment requirements.txt
	@SCREENSHOTS=readme CHROMIUM="$(CHROMIUM)" exec scripts/web-test readme

clients-test: ## Check the TypeScript client, and test it against a real server
	@scripts/environment requirements-dev.txt
	@scripts/node clients/typescript npm run check
	@exec scripts/node clients/typescript npm test

test: ## Run all but the slow tests, on their own servers (ARGS="tests/billing -x")
	@scripts/environment requirements-dev.txt
	@exec $(pytest) --without-slow $(ARGS)

test-all: ## Run all tests, with more examples for the property tests
	@scripts/environment requirements-dev.txt
	@exec $(pytest) --hypothesis-profile thorough $(ARGS)

check: ## Check format, lint, types and which rooms import each other
	@scripts/environment requirements-dev.txt
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy $(packages)
	$(bin)/lint-imports

schema: ## Write the API's schema to schema.graphql
	@scripts/environment requirements-dev.txt
	@$(bin)/python -m resolvers.print_schema > schema.graphql

format: ## Format the code and fix what the linter can
	@scripts/environment requirements-dev.txt
	$(bin)/ruff check --fix-only .
	$(bin)/ruff format .

contract: ## Run the tests with other GraphQL clients (needs Node.js 20 or later)
	@scripts/environment requirements-dev.txt
	@exec $(bin)/python -m pytest -m contract $(ARGS)

bench: ## Benchmark a real server, and the least that it could take
	@scripts/environment requirements-dev.txt
	@exec $(bin)/python -m benchmarks $(ARGS)

chaos: ## Kill processes under load, then compare every count
	@scripts/environment requirements-dev.txt
	@exec $(bin)/python -m tests.chaos $(ARGS)

lock: ## Resolve pyproject.toml into the lock files (ARGS="--upgrade")
	@scripts/lock $(ARGS)

clean: ## Remove the environment and the caches of tools; data stays
	rm -rf .venv build web/node_modules clients/typescript/node_modules clients/typescript/dist web/e2e/results web/e2e/screenshots metergraph.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
