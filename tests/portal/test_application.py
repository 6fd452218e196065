"""The applicant's own page behind the link in our mail."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.test import Client

from partners import approval
from partners.choices import ApplicationState
from partners.models import Application
from partners.tokens import first_status_token
from tests.factories.partners import ApplicationFactory
from tests.factories.tiers import TierFactory
from tests.people import mats

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def application() -> Application:
    return ApplicationFactory(email_confirmed_at=None, email="ana@lima.example")


@pytest.fixture
def url(application: Application) -> str:
    return f"/application/{first_status_token(application.public_id)}/"


def test_only_the_link_opens_the_page(client: Client, application: Application, url: str) -> None:
    page = client.get(url)
    assert page.status_code == 200
    assert application.public_id in page.content.decode()
    assert page["X-Robots-Tag"] == "noindex, nofollow"
    assert "no-store" in page["Cache-Control"]
    # no-referrer would make browsers send "Origin: null" with the forms here, and every one would be refused
    assert page["Referrer-Policy"] == "same-origin"
    for wrong in (application.public_id, application.token_sha256, "x", url.split("/")[2][:-1]):
        for path in (f"/application/{wrong}/", f"/application/{wrong}/withdraw/"):
            assert client.get(path).status_code == 410
            assert client.post(path).status_code == 410


def test_opening_the_link_confirms_nothing_and_the_button_does(
    client: Client, application: Application, url: str
) -> None:
    client.get(url)
    application.refresh_from_db()
    assert application.email_confirmed_at is None
    assert client.post(url, {"action": "confirm"})["Location"] == url
    application.refresh_from_db()
    assert application.email_confirmed_at is not None
    assert "Confirm your e-mail address" not in client.get(url).content.decode()


def test_a_question_is_shown_and_answered(client: Client, application: Application, url: str) -> None:
    approval.ask_for_more(application, text="Which <b>newsletter</b>?", by=mats(), at=NOW)
    page = client.get(url).content.decode()
    assert "Which &lt;b&gt;newsletter&lt;/b&gt;?" in page
    assert "Waiting for you" in page
    empty = client.post(url, {"text": "  "})
    assert (empty.status_code, application.messages.count()) == (422, 1)
    assert "Write a message first." in empty.content.decode()
    client.post(url, {"text": "The Monday letter."})
    application.refresh_from_db()
    assert application.state == ApplicationState.IN_REVIEW
    assert "The Monday letter." in client.get(url).content.decode()


def test_withdrawing_asks_first(client: Client, application: Application, url: str) -> None:
    page = client.get(f"{url}withdraw/")
    assert "It cannot be reopened." in page.content.decode()
    application.refresh_from_db()
    assert application.state == ApplicationState.SUBMITTED
    client.post(f"{url}withdraw/")
    application.refresh_from_db()
    assert application.state == ApplicationState.WITHDRAWN
    assert "Withdrawn" in client.get(url).content.decode()
    assert client.get(f"{url}withdraw/")["Location"] == url
    refused = client.post(f"{url}withdraw/", follow=True)
    assert "This application is closed already." in refused.content.decode()
    assert client.post(url, {"text": "Wait!"}).status_code == 409


def test_an_approved_applicant_is_led_to_the_sign_in(
    client: Client, application: Application, url: str
) -> None:
    Application.objects.update(email_confirmed_at=NOW)
    approval.approve(application, tier=TierFactory(program=application.program), by=mats(), at=NOW)
    page = client.get(url).content.decode()
    assert "You are in" in page
    assert "/accounts/login/code/" in page
    assert "Withdraw" not in page


def test_a_declined_applicant_reads_why(client: Client, application: Application, url: str) -> None:
    approval.reject(application, reason="fit", note="Games.", by=mats(), at=NOW, reapply_on=date(2027, 3, 1))
    page = client.get(url).content.decode()
    assert "Audience and program do not fit" in page
    assert "Games." in page
    assert "1 March 2027" in page
