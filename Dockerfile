# One image for web, worker, beat and the one-shot migration.
FROM debian:13-slim AS base
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        ca-certificates python3 libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/*

FROM base AS build
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends python3-pip
COPY requirements/base.lock /build/base.lock
# The same line as in the Makefile: a closed lock with hashes, nothing resolved, nothing compiled from source.
RUN python3 -m venv --without-pip /venv \
    && python3 -m pip --python /venv/bin/python install -q --no-cache-dir --no-deps --require-hashes --only-binary :all: -r /build/base.lock

FROM base
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin prm \
    && install -d -o prm -g prm -m 0750 /data
COPY --from=build /venv /venv
COPY . /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    PRM_DOTENV=off PRM_VAR=/tmp/prm PRM_STATIC_ROOT=/app/static-files PRM_MEDIA_ROOT=/data/media
# Collected with throw-away secrets and a packing storage; no secret stays in the image.
RUN python -m compileall -q /app /venv \
    && env SITE_URL=https://build.invalid SECRET_KEY=build-only-build-only-build-only-build \
        PRM_FIELD_KEYS=k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
        DATABASE_URL=postgres://build/build EMAIL_URL=consolemail:// \
        python manage.py collectstatic --noinput -v 0
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["python", "manage.py", "healthy", "web"]
CMD ["gunicorn", "prm.wsgi:application", "--preload", "--no-control-socket", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "4", "--worker-tmp-dir", "/tmp", "--timeout", "60", "--graceful-timeout", "20", "--max-requests", "2000", "--max-requests-jitter", "200", "--limit-request-line", "8190"]
