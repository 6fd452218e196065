# Everything this repository can do. `make help` lists it.

PY ?= python3
BIN := .venv/bin
# The lock files are closed and carry hashes, so nothing needs to be resolved; compiling happens when a module is first used.
INSTALL = $(PY) -m pip --python $(BIN)/python --disable-pip-version-check install -q --no-compile --no-deps --require-hashes --root-user-action ignore -r
# Tests of one file stay together; files share nothing (tests/settings.py), so each core takes the next one. They come in the order of their
# names, in which the folders with the longest tests (architecture, browser, journeys) are first: begun last, they would be waited for alone.
CORES := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
PANGO := libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0

.DEFAULT_GOAL := help
.PHONY: help up demo test test-embedded test-services test-lines test-duplicates check format bench lock clean preflight

## make up             install, prepare and run web server, worker and beat; Ctrl-C stops them
up: .venv/.base
	@tools/packages.sh $(PANGO)
	@exec $(BIN)/python manage.py up

## make demo           load the year of real sales into the database, with times and figures
demo: .venv/.base
	@exec $(BIN)/python manage.py demo

## make test           the whole suite on the embedded default, then on real PostgreSQL and Redis
test: .venv/.test
	@tools/packages.sh $(PANGO) poppler-utils chromium postgresql redis-server
	@$(MAKE) --no-print-directory test-embedded
	@$(MAKE) --no-print-directory test-services

## make test-embedded  the suite on SQLite and the file broker, browser included
test-embedded: .venv/.test
	@echo "== 1 of 2: the embedded default"
	@env -u DATABASE_URL -u REDIS_URL -u CACHE_URL $(BIN)/python -m pytest -q $(CORES) $(ARGS)

## make test-services  the suite on throw-away PostgreSQL and Redis servers
# What asks no database of its own has had its say in the first half: the pure engine, e-invoices and the repository's look at itself; so have the
# pages, which draw what the verbs tested here have written. `make test-services ONCE=` leaves nothing out.
ONCE = --ignore tests/tiers/engine --ignore tests/architecture --ignore tests/payouts/einvoice --ignore tests/portal --ignore tests/demo --ignore tests/prm/test_up.py \
  --ignore-glob 'tests/*/test_admin*' --ignore-glob 'tests/*/test_*_pages.py' --ignore-glob 'tests/tiers/test_qualify*'
test-services: .venv/.test
	@echo "== 2 of 2: PostgreSQL and Redis"
	@exec $(BIN)/python tools/with_services.py $(BIN)/python -m pytest -q $(CORES) $(ONCE) $(ARGS)

## make test-lines     all 406,785 real order lines under a graduated plan, on PostgreSQL: minutes
test-lines: .venv/.test
	@PRM_ALL_LINES=1 $(BIN)/python tools/with_services.py $(BIN)/python -m pytest -q tests/journeys/test_order_lines.py

## make test-duplicates  ten thousand posts of a hundred sales from sixteen threads, on PostgreSQL: minutes
test-duplicates: .venv/.test
	@PRM_POSTS=10000 $(BIN)/python tools/with_services.py $(BIN)/python -m pytest -q tests/journeys/test_ten_thousand_duplicates.py

## make check          format, lint, contracts, types, templates, migrations, deployment settings, then make test
check: .venv/.check
	@tools/check.sh
	@$(MAKE) --no-print-directory test

## make format         put the code into form
format: .venv/.check
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

## make bench          reproducible benchmarks, each beside a bare limit measured in the same run
bench: .venv/.test
	@exec $(BIN)/python -m bench

## make lock           resolve the dependencies again (needs uv)
lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header -o requirements/base.lock
	uv pip compile pyproject.toml --extra test -c requirements/base.lock --universal --python-version 3.11 --generate-hashes --no-header -o requirements/test.lock
	uv pip compile pyproject.toml --extra test --extra check -c requirements/test.lock --universal --python-version 3.11 --generate-hashes --no-header -o requirements/check.lock

## make clean          remove the environment and caches; the data in var/ stays
clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

preflight:
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, $(PY) is %d.%d." % sys.version_info[:2])'
	@$(PY) -m pip --version >/dev/null 2>&1 || { echo "pip is needed. As root, run: apt-get install -y python3-pip" >&2; exit 2; }

$(BIN)/python: | preflight
	$(PY) -m venv --without-pip .venv

.venv/.base: requirements/base.lock | $(BIN)/python
	@echo "Installing the runtime packages ..."
	@$(INSTALL) $< && touch $@

.venv/.test: requirements/test.lock .venv/.base
	@echo "Installing the test tools ..."
	@$(INSTALL) $< && touch $@

.venv/.check: requirements/check.lock .venv/.test
	@echo "Installing the checkers ..."
	@$(INSTALL) $< && touch $@
