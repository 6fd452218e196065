"""Answer whether the site is alive, ready and whole. Strangers learn only yes or no; the details are for staff."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from prm import broker, heartbeat
from prm.models import Heartbeat
from referrals import stream

log = logging.getLogger(__name__)
CLICKS_WAIT_SECONDS = 60
FREE_BYTES = 200_000_000


@dataclass(frozen=True)
class Finding:
    """What one probe found."""

    name: str
    is_well: bool
    detail: str


def database() -> str:
    """Ask the database a question."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return connection.vendor


def migrations() -> str:
    """Refuse when the schema is behind the code."""
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        raise RuntimeError(f"{len(waiting)} migrations are waiting")
    return "up to date"


def cache_store() -> str:
    """Read from the cache."""
    cache.get("prm.health")
    return str(settings.CACHES["default"]["BACKEND"]).rsplit(".", 1)[-1]


def background_work() -> str:
    """Refuse when no message has gone from beat through a worker lately."""
    if not heartbeat.is_alive(heartbeat.ROUND, at=timezone.now()):
        raise RuntimeError("no scheduled task was done lately: is a worker and one beat running?")
    return ", ".join(
        f"{beat.name} {beat.seen_at:%H:%M:%S}" for beat in Heartbeat.objects.order_by("name", "pk")
    )


def messages() -> str:
    """Refuse when the embedded broker has given up on messages."""
    if not settings.CELERY_BROKER_URL.startswith("sqlitefile:"):
        return "on Redis"
    counts = broker.counts(settings.CELERY_BROKER_TRANSPORT_OPTIONS["path"])
    if counts.dead:
        raise RuntimeError(f"{counts.dead} messages were given up after {broker.MAX_DELIVERIES} deliveries")
    return f"{counts.ready} waiting, {counts.taken} in work"


def clicks() -> str:
    """Refuse when clicks wait so long that nobody can be writing them."""
    if not stream.is_used():
        return "written at once"
    length, seconds, aside = stream.state()
    found = f"{length} wait, the oldest for {seconds:.0f} s, {aside} put aside as unreadable"
    if seconds > CLICKS_WAIT_SECONDS:
        raise RuntimeError(found)
    return found


def disk() -> str:
    """Refuse when the disk is nearly full."""
    folder = Path(settings.VAR) if Path(settings.VAR).exists() else Path(settings.BASE_DIR)
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES:
        raise RuntimeError(f"only {free // 1_000_000} MB free")
    return f"{free // 1_000_000} MB free"


READY: dict[str, Callable[[], str]] = {"database": database, "migrations": migrations, "cache": cache_store}
WHOLE: dict[str, Callable[[], str]] = {
    **READY,
    "background work": background_work,
    "messages": messages,
    "clicks": clicks,
    "disk": disk,
}


def examine(probes: dict[str, Callable[[], str]]) -> list[Finding]:
    """Run the probes, turning every failure into a finding."""
    return [_examine(name, probe) for name, probe in probes.items()]


def _examine(name: str, probe: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, probe())
    except RuntimeError as error:
        return Finding(name, False, str(error))
    except Exception as error:
        # Whatever a driver raises means the same here: this part is not well.
        log.warning("health: %s: %s", name, error)
        return Finding(name, False, type(error).__name__)


@require_safe
@never_cache
def livez(request: HttpRequest) -> HttpResponse:
    """Say that the process answers."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether requests can be served."""
    is_ready = all(finding.is_well for finding in examine(READY))
    return HttpResponse(
        "ok" if is_ready else "not ready", content_type="text/plain", status=200 if is_ready else 503
    )


@require_safe
@never_cache
def statusz(request: HttpRequest) -> HttpResponse:
    """Tell staff what is well and what is not; to anybody else the page does not exist."""
    user = request.user
    if not (user.is_authenticated and user.is_staff):
        return HttpResponse("Not found", content_type="text/plain", status=404)
    findings = examine(WHOLE)
    body: dict[str, Any] = {f.name: {"well": f.is_well, "detail": f.detail} for f in findings}
    return JsonResponse(
        body, status=200 if all(f.is_well for f in findings) else 503, json_dumps_params={"indent": 2}
    )
