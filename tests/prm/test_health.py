"""The pages that say whether the site is well: yes or no to strangers, details to staff."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from prm import health, heartbeat
from prm.models import Heartbeat
from prm.tasks import beat
from tests.factories.prm import HeartbeatFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_a_process_that_answers_is_alive_and_ready(client: Client) -> None:
    for path in ("/livez", "/readyz"):
        answer = client.get(path)
        assert (answer.status_code, answer.content) == (200, b"ok")
        assert "no-store" in answer["Cache-Control"]


def test_a_site_behind_its_schema_is_not_ready(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'prm'")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (503, b"not ready")


def test_only_staff_see_details(client: Client) -> None:
    assert client.get("/statusz").status_code == 404
    client.force_login(UserFactory())
    assert client.get("/statusz").status_code == 404


def test_staff_see_that_no_worker_runs(client: Client, settings: object) -> None:
    settings.PRM_STAFF_MFA = False  # type: ignore[attr-defined]
    client.force_login(UserFactory(is_staff=True))
    answer = client.get("/statusz")
    found = json.loads(answer.content)
    assert answer.status_code == 503
    assert found["database"]["well"] is True
    assert found["background work"]["well"] is False
    assert "worker" in found["background work"]["detail"]


def test_a_message_that_went_the_whole_round_makes_background_work_well() -> None:
    beat.run()
    (finding,) = health.examine({"background work": health.background_work})
    assert finding.is_well
    assert heartbeat.ROUND in finding.detail


def test_a_probe_that_breaks_is_a_finding_and_tells_no_secret() -> None:
    def broken() -> str:
        raise ConnectionError("redis://:hunter2@host refused")

    (finding,) = health.examine({"thing": broken})
    assert finding == health.Finding("thing", False, "ConnectionError")


def test_a_heart_that_stopped_two_minutes_ago_counts_as_gone() -> None:
    now = timezone.now()
    HeartbeatFactory(name="worker@here", seen_at=now - timedelta(seconds=119))
    HeartbeatFactory(name="beat@here", seen_at=now - timedelta(seconds=121))
    assert heartbeat.is_alive("worker@here", at=now)
    assert not heartbeat.is_alive("beat@here", at=now)


def test_a_container_is_asked_by_the_exit_code_of_a_command() -> None:
    with pytest.raises(CommandError):
        call_command("healthy", "worker")
    HeartbeatFactory(name=heartbeat.process_name("worker"), seen_at=timezone.now())
    assert call_command("healthy", "worker") is None
    with pytest.raises(CommandError):
        call_command("healthy", "web", "--port", "1")


def test_a_heartbeat_without_a_name_is_refused_by_the_database() -> None:
    with pytest.raises(IntegrityError, match="prm_heartbeat_named"), transaction.atomic():
        HeartbeatFactory(name="")
    assert not Heartbeat.objects.exists()
