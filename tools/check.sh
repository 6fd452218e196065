#!/bin/sh
# Every check that needs no test run. Each step says its name; the first failure ends it.
set -eu
bin=.venv/bin
step() { echo "== $1"; shift; "$@"; }

step "format" $bin/ruff format --check .
step "lint" $bin/ruff check .
step "contracts" env NO_COLOR=1 $bin/lint-imports --no-cache
step "types" $bin/mypy
step "templates" $bin/djlint --lint --quiet templates
step "migrations" env PRM_VAR="$(mktemp -d)" $bin/python manage.py makemigrations --check --dry-run
# A production-like environment: the deployment checks must pass without a warning.
step "deployment" env PRM_DOTENV=off PRM_VAR=/nonexistent DATABASE_URL=postgres://prm:prm@127.0.0.1:5432/prm \
    REDIS_URL=redis://127.0.0.1:6379/0 SITE_URL=https://partners.example.com EMAIL_URL=smtp://127.0.0.1 \
    SECRET_KEY="$($bin/python -c 'import secrets; print(secrets.token_urlsafe(60))')" \
    PRM_FIELD_KEYS="k1:$($bin/python -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())')" \
    $bin/python manage.py check --deploy --fail-level WARNING
step "dependencies" python3 -m pip --python $bin/python --disable-pip-version-check check
# `make test` has them too: who has just run it says so, and is not made to wait for them again.
[ -n "${PRM_TESTED:-}" ] || step "house rules" $bin/python -m pytest -q tests/architecture
