# Everything a developer types. `make` alone explains it. Needs Python 3.11 or newer, pip and make; nothing else.

VENV ?= .venv
EXTRAS ?=
ARGS ?=
FUZZ_CASES ?= 10000
INTEROP_VENV ?= .venv-interop
CLIENTS_VENV ?= .venv-clients
FUZZ_RUNS ?= 1000000
ifndef PYTHON
PYTHON := $(shell for python in python3.11 python3.12 python3.13 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
endif

comma := ,
bin := $(VENV)/bin
extras := dev$(if $(EXTRAS),$(comma)$(EXTRAS))
pins := $(shell cat pyproject.toml constraints.txt | cksum | cut -d ' ' -f 1)
installed := $(VENV)/.installed-$(pins)-$(subst $(comma),-,$(extras))

interop_pins := $(shell cksum < tests/interop/requirements.txt | cut -d ' ' -f 1)
interop_installed := $(INTEROP_VENV)/.installed-$(interop_pins)
clients_pins := $(shell cksum < tests/clients/requirements.txt | cut -d ' ' -f 1)
clients_installed := $(CLIENTS_VENV)/.installed-$(clients_pins)

production_check := $(bin)/python manage.py check --deploy --fail-level WARNING --settings settings.production

.DEFAULT_GOAL := help
.PHONY: help setup demo run test interop clients check bench fuzz

help: ## Explain the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'Variables: ARGS (more arguments for demo, run, test, interop, clients, bench and fuzz), EXTRAS (more extras to'
	@echo 'install, such as mariadb), FUZZ_CASES (requests per operation), FUZZ_RUNS (payloads), PYTHON (the'
	@echo 'interpreter for a new $(VENV)), VENV.'

setup: $(installed) ## Install the project and its tools into .venv; nothing to do while the pins stand.

demo: setup ## Play one credit journey with real processes, narrated, and clean up.
	@$(bin)/python -m demo $(ARGS)

run: setup ## Serve the demo's site until Ctrl-C.
	@$(bin)/python -m demo --serve $(ARGS)

test: setup ## Run the suite on SQLite and on every server named by TEST_POSTGRES_URL, TEST_MARIADB_URL, ….
	@$(bin)/python -m tests.run $(ARGS)

interop: setup $(interop_installed) ## Exchange events with Open edX's own packages, in an environment of their own.
	@INTEROP_PYTHON='$(abspath $(INTEROP_VENV))/bin/python' $(bin)/pytest --quiet tests/interop $(ARGS)

clients: setup $(clients_installed) ## Drive the service with clients that others have written, in an environment of their own.
	@CLIENTS_PYTHON='$(abspath $(CLIENTS_VENV))/bin/python' $(bin)/pytest --quiet tests/clients $(ARGS)

check: setup ## Check format, lint, types, imports, migrations, production settings, OpenAPI and the documents.
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/python -m mypy
	$(bin)/lint-imports --no-logo
	$(bin)/python manage.py makemigrations --check --dry-run --settings settings.test
	@echo $(production_check)
	@$(bin)/python -m settings.environment | tr '\n' '\0' | xargs -0 sh -c 'env "$$@" $(production_check)' sh
	$(bin)/python manage.py spectacular --validate --fail-on-warn --file /dev/null --settings settings.test
	$(bin)/python manage.py document_events --check docs/events.md --settings settings.test
	$(if $(filter true,$(CI)),@echo 'The commands in the documents are run with the suite.',$(bin)/pytest --quiet tests/docs)

bench: setup $(interop_installed) ## Measure against the baselines and write docs/benchmarks.md.
	@INTEROP_PYTHON='$(abspath $(INTEROP_VENV))/bin/python' $(bin)/python -m bench $(ARGS)

fuzz: setup ## Send many generated requests to every operation, and hostile bytes to the decoder of events.
	@FUZZ_CASES=$(FUZZ_CASES) $(bin)/pytest -m fuzz tests/fuzz -s $(ARGS)
	@$(bin)/python -c 'import atheris' 2>/dev/null || $(bin)/python -m pip install --quiet --disable-pip-version-check \
		--only-binary :all: --constraint constraints.txt --editable '.[fuzz]'
	@$(bin)/python -m tests.fuzz.decode_payloads -runs=$(FUZZ_RUNS)

# pip builds from source only what has no wheels anywhere, and only when asked for.
$(installed):
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer was not found; name it: make setup PYTHON=…' >&2; exit 1; }
	@echo 'Installing what pyproject.toml names ([$(extras)]) into $(VENV), which takes a minute …'
	@test -x $(bin)/python || $(PYTHON) -m venv $(VENV)
	@$(bin)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-binary mysqlclient \
		--constraint constraints.txt --editable '.[$(extras)]'
	@rm -f $(VENV)/.installed-*
	@touch $@

$(interop_installed):
	@echo "Installing Open edX's own packages into $(INTEROP_VENV), which takes a minute …"
	@test -x $(INTEROP_VENV)/bin/python || $(PYTHON) -m venv $(INTEROP_VENV)
	@$(INTEROP_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests/interop/requirements.txt
	@rm -f $(INTEROP_VENV)/.installed-*
	@touch $@

$(clients_installed):
	@echo 'Installing clients of the enrollment API into $(CLIENTS_VENV), which takes a minute …'
	@test -x $(CLIENTS_VENV)/bin/python || $(PYTHON) -m venv $(CLIENTS_VENV)
	@$(CLIENTS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests/clients/requirements.txt
	@rm -f $(CLIENTS_VENV)/.installed-*
	@touch $@
