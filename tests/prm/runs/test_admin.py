from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from prm.accounts import policy
from prm.audit.models import AuditEvent
from prm.runs import cards
from prm.runs.choices import RunState
from prm.runs.models import Run
from tests.factories.prm import NOW, RunFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def easy_staff(settings: Any) -> None:
    settings.PRM_STAFF_MFA = False


@pytest.fixture
def working() -> Run:
    """A job a third through, whose worker was heard a moment ago."""
    now = timezone.now()
    return RunFactory(
        state=RunState.RUNNING,
        owner="w",
        phases=["reading", "writing"],
        phase="writing",
        done=100,
        total=300,
        failed=2,
        created_at=now,
        started_at=now,
        heartbeat_at=now,
        phase_started_at=now - timedelta(seconds=20),
    )


def as_role(client: Client, role: str | None) -> Any:
    user = UserFactory(role=role) if role else UserFactory()
    client.force_login(user)
    return user


def test_figures_are_the_ones_the_terminal_shows(client: Client, working: Run) -> None:
    as_role(client, policy.FINANCE)
    answer = client.get(f"/admin/runs/run/{working.public_id}/progress.json")
    figures = answer.json()
    # 100 in 20 s: 5 a second, 200 left: 40 s.
    assert (figures["percent"], figures["per_second"], figures["seconds_left"]) == (33, 5, 40)
    assert (figures["step"], figures["steps"], figures["failed"], figures["stalled"]) == (2, 2, 2, False)
    assert "no-store" in answer["Cache-Control"]


def test_the_card_is_a_fragment_for_htmx_and_a_page_for_everybody_else(client: Client, working: Run) -> None:
    as_role(client, policy.FINANCE)
    address = f"/admin/runs/run/{working.public_id}/card/"

    fragment = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert f'hx-get="{address}"' in fragment
    assert "about 40 seconds left" in fragment

    assert client.get(address)["Location"] == f"/admin/runs/run/{working.pk}/change/"
    page = client.get(f"/admin/runs/run/{working.pk}/change/").content.decode()
    assert f'hx-get="{address}"' in page
    assert 'name="_save"' not in page


def test_a_silent_worker_is_said(client: Client, working: Run) -> None:
    as_role(client, policy.FINANCE)
    Run.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=61))
    page = client.get(f"/admin/runs/run/{working.public_id}/card/", headers={"HX-Request": "true"})
    assert b"The worker may be down" in page.content


def test_whoever_started_a_run_may_stop_it(client: Client, working: Run) -> None:
    mats = as_role(client, policy.ACCOUNT_MANAGER)
    Run.objects.update(created_by=mats)
    client.post(f"/admin/runs/run/{working.public_id}/cancel/")
    working.refresh_from_db()
    assert working.cancel_requested_at is not None
    assert AuditEvent.objects.get(action="run.cancel_asked").actor == mats


def test_an_account_manager_does_not_stop_the_runs_of_finance(client: Client, working: Run) -> None:
    as_role(client, policy.ACCOUNT_MANAGER)
    assert client.post(f"/admin/runs/run/{working.public_id}/cancel/").status_code == 403
    working.refresh_from_db()
    assert working.cancel_requested_at is None


def test_a_failed_run_is_carried_on_by_a_button(client: Client) -> None:
    as_role(client, policy.FINANCE)
    run = RunFactory(state=RunState.FAILED, finished_at=NOW)
    client.post(f"/admin/runs/run/{run.public_id}/retry/")
    run.refresh_from_db()
    assert run.state == RunState.QUEUED


def test_buttons_answer_to_posts_only(client: Client, working: Run) -> None:
    as_role(client, policy.FINANCE)
    for verb in ("cancel", "retry"):
        assert client.get(f"/admin/runs/run/{working.public_id}/{verb}/").status_code == 405


@pytest.mark.parametrize("address", ["card/", "progress.json"])
def test_strangers_and_partners_see_no_progress(client: Client, working: Run, address: str) -> None:
    assert client.get(f"/admin/runs/run/{working.public_id}/{address}").status_code == 302
    as_role(client, None)
    assert client.get(f"/admin/runs/run/{working.public_id}/{address}").status_code in (302, 403)


def test_a_run_that_does_not_exist_is_a_404(client: Client) -> None:
    as_role(client, policy.FINANCE)
    assert client.get("/admin/runs/run/run_nothing/progress.json").status_code == 404


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0, ""),
        (3, "about 5 seconds left"),
        (42, "about 40 seconds left"),
        (75, "about 1 minute left"),
        (600, "about 10 minutes left"),
    ],
)
def test_the_rest_is_said_roughly(seconds: int | None, text: str) -> None:
    assert cards.time_left_text(seconds) == text


def test_a_screen_reader_hears_every_ten_percent(working: Run) -> None:
    assert cards.announcement(working) == "writing: 30 %"
    working.state = RunState.FINISHED
    assert cards.announcement(working) == "Finished"


def test_buttons_are_shown_to_those_they_answer_to(client: Client, working: Run) -> None:
    address = f"/admin/runs/run/{working.pk}/change/"
    as_role(client, policy.FINANCE)
    assert b"Stop after this batch" in client.get(address).content
    as_role(client, policy.ACCOUNT_MANAGER)
    assert b"Stop after this batch" not in client.get(address).content
