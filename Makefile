# Needs Python 3.11 or newer and make, nothing else. Another Python: make PYTHON=python3.13 up
PYTHON ?= python3
PROCESSES ?= 1
RUN := .venv/bin/python

# Compiled modules are kept, whatever the habit of the machine: a process that compiles all it imports starts 2 s later.
export PYTHONDONTWRITEBYTECODE :=

# One line for each script that `make check` runs after the tools.
CHECKS := scripts/size_budgets.py scripts/contracts.py scripts/migrations.py scripts/isolation.py scripts/pictures.py scripts/metrics.py scripts/limits.py scripts/permissions.py scripts/documents.py

.PHONY: up test check format contracts isolation pictures metrics limits permissions lock bench install

# The whole of Muster, until Ctrl-C. The API in two processes: make up PROCESSES=2
up: install
	@exec $(RUN) -m muster.cli up --processes $(PROCESSES)

# The whole suite, on a PostgreSQL it starts itself. Some of it: make test ARGS="tests/test_cli.py -k version"
test: install
	@$(RUN) -m pytest -n 3 --dist worksteal $(ARGS)

# Everything that can be known without running it.
check: install
	@$(RUN) -m ruff format --check .
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy
	@.venv/bin/lint-imports --no-logo
	@set -e; for script in $(CHECKS); do $(RUN) $$script; done

# Bring the layout of the code into its one form.
format: install
	@$(RUN) -m ruff check --fix-only .
	@$(RUN) -m ruff format .

# Write down what the outside relies on, after a change that is meant: openapi.json and schema.graphql.
contracts: install
	@$(RUN) scripts/contracts.py --write

# Write down what keeps tenants apart, after a migration: docs/security/isolation.md.
isolation: install
	@$(RUN) scripts/isolation.py --write

# Draw what the code declares, after a change of verbs, facts, handlers or tables: docs/architecture.md.
pictures: install
	@$(RUN) scripts/pictures.py --write

# Write down what is measured, after a change of metrics: docs/operations/metrics.md.
metrics: install
	@$(RUN) scripts/metrics.py --write

# Write down how often what may be asked, after a change of limits or of what draws from them: docs/operations/limits.md.
limits: install
	@$(RUN) scripts/limits.py --write

# Write down who may do what, after a change of permissions, roles or commands: docs/security/permissions.md.
permissions: install
	@$(RUN) scripts/permissions.py --write

# Pin every package anew, after a change in pyproject.toml. All to their newest: make lock ARGS=--upgrade
lock: install
	@.venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --extra dev \
		$(ARGS) pyproject.toml --output-file requirements.lock

# Muster beside Fastify + Mercurius and pgbench, into bench/results. More: make bench ARGS=--help
bench: install
	@$(RUN) -m bench $(ARGS)

install:
	@$(PYTHON) scripts/bootstrap.py
