# Every command of the project. The first run of any of them sets everything up; `make help` lists them.
.DEFAULT_GOAL := help
SEEDS ?= 1000
PYTHON := .venv/bin/python
# Two processes, as half of the tests wait for processes of the local stack. A file stays in one of them: its tests may
# share a stack, each on ports of its own. In the order of the folders, so that small files come last and fill the gaps.
PYTEST := $(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=
# Every process of the stack would compile all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE
export HOME := $(shell local/home.sh)

.PHONY: help setup demo up test check lint bench simulate package docs screenshots infra lock clean

help: ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## make .venv and install Azurite (every other command does it by itself)
	@local/setup.sh

demo: setup ## the whole story on the local stack: two tenants, hires, movers, leavers; a table at the end
	@$(PYTHON) -m local demo

up: setup ## the local stack to live in: tenants and edits of sync.yaml; with KEEP=1 what it had is there again
	@$(PYTHON) -m local up $(if $(filter func,$(HOST)),--host func)

test: setup ## all tests
	@$(PYTEST) || { rm -f .coverage; exit 1; }

check: lint .coverage ## the gate: lint, and the coverage of the pure modules
	@$(PYTHON) -m coverage report

# What the last run of the tests measured. A change since then means to run those of tests/unit again.
.coverage: pyproject.toml tests/conftest.py $(shell find sync_core tests/unit tests/support -type f -not -name '*.pyc') | setup
	@$(PYTEST) tests/unit || { rm -f .coverage; exit 1; }

lint: setup ## what of the gate runs no test: format, lint, types, layers, words, dead code, sizes
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m mypy
	@cd emulator && ../$(PYTHON) -m mypy
	@.venv/bin/lint-imports
	@$(PYTHON) -m tools.checks.words
	@$(PYTHON) -m tools.checks.dead
	@$(PYTHON) -m tools.checks.sizes

bench: setup ## measured figures; docs/performance.md shows some of them
	@$(PYTHON) -m bench

simulate: setup ## run SEEDS seeds through the simulator and print the seed of any failure
	@$(PYTHON) -m tests.simulator --seeds $(SEEDS)

package: setup ## build what is deployed, .cache/package/xtsync.zip, and print its size and how fast it loads
	@$(PYTHON) -m tools.package

docs: setup ## write the parts of docs/ that are made from the code
	@$(PYTHON) -m tools.settings_doc
	@$(PYTHON) -m tools.sync_schema > docs/sync.schema.json
	@$(PYTHON) -m tools.link_picture
	@$(PYTHON) -m tools.layers
	@$(PYTHON) -m tools.metrics_doc
	@$(PYTHON) -m tools.openapi
	@$(PYTHON) -m tools.graph_operations
	@$(PYTHON) -m tools.graph_pages
	@$(PYTHON) -m tools.performance_doc

screenshots: setup ## write the pictures of the page in docs/page (needs a Chromium)
	@$(PYTHON) -m tests.browser.screenshots

infra: setup ## format and lint the templates, write their snapshots and the table in docs/deploy.md (needs bicep)
	@$(PYTHON) -m tools.infra

lock: setup ## compile the pinned requirements from pyproject.toml
	@local/lock.sh

clean: ## forget what the commands installed and made
	rm -rf .venv .cache .coverage local/azurite/node_modules tests/infra/kusto/node_modules tests/browser/axe/node_modules
