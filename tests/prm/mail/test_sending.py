from datetime import timedelta
from typing import Any

import pytest
from celery import Celery
from django.core import mail as django_mail
from django.test import Client

from prm.accounts import policy
from prm.mail import outbox, sending, tasks
from prm.mail.models import MAX_ATTEMPTS, OutgoingMail
from tests.factories.prm import NOW, OutgoingMailFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def memory(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def test_a_message_leaves_once() -> None:
    mail = OutgoingMailFactory()

    assert sending.send(mail.pk, at=NOW)
    assert not sending.send(mail.pk, at=NOW + timedelta(days=1))
    mail.refresh_from_db()
    assert (mail.sent_at, mail.attempts, len(django_mail.outbox)) == (NOW, 1, 1)


def test_what_leaves_is_text_and_html_with_a_steady_id() -> None:
    mail = OutgoingMailFactory(subject="Zażółć", language="pl")
    sending.send(mail.pk, at=NOW)

    message = django_mail.outbox[0]
    assert (message.subject, message.body, message.to) == ("Zażółć", "Hello Ana\n", ["ana@example.org"])
    assert message.alternatives == [("<p>Hello Ana</p>", "text/html")]  # type: ignore[attr-defined]
    assert message.extra_headers["Message-ID"].startswith(f"<{mail.public_id}@")
    assert message.extra_headers["Content-Language"] == "pl"


def test_two_workers_cannot_both_take_a_message() -> None:
    mail = OutgoingMailFactory()
    assert sending.claim(mail.pk, at=NOW) is not None
    assert sending.claim(mail.pk, at=NOW) is None


@pytest.mark.parametrize(
    ("attempts", "minutes"), [(1, 2), (2, 4), (3, 8), (4, 16), (7, 128), (8, 256), (9, 360), (400, 360)]
)
def test_the_wait_doubles_up_to_six_hours(attempts: int, minutes: int) -> None:
    assert sending.wait_after(attempts) == timedelta(minutes=minutes)


def test_a_server_that_is_away_puts_the_message_off_and_gives_up_at_last(settings: Any) -> None:
    settings.EMAIL_BACKEND = "tests.prm.mail.backends.Broken"
    mail, at = OutgoingMailFactory(), NOW

    for _attempt in range(MAX_ATTEMPTS + 3):
        assert not sending.send(mail.pk, at=at)
        at += timedelta(hours=7)
    mail.refresh_from_db()
    assert (mail.attempts, mail.sent_at) == (MAX_ATTEMPTS, None)
    assert mail.last_error == "ConnectionRefusedError: no server here"
    assert OutgoingMail.objects.given_up().get() == mail
    assert sending.sweep(at=at) == 0


def test_a_worker_that_died_after_the_claim_leaves_the_message_to_the_sweep() -> None:
    mail = OutgoingMailFactory()
    sending.claim(mail.pk, at=NOW)

    assert not OutgoingMail.objects.due(at=NOW + timedelta(minutes=1)).exists()
    assert OutgoingMail.objects.due(at=NOW + timedelta(minutes=2)).get() == mail


def test_the_sweep_sends_what_no_bell_was_heard_for(eager_tasks: Celery) -> None:
    mail = OutgoingMailFactory()
    sent = OutgoingMailFactory(sent_at=NOW)

    assert tasks.sweep() == 1
    mail.refresh_from_db()
    sent.refresh_from_db()
    assert mail.sent_at is not None
    assert sent.sent_at == NOW


def test_queueing_rings_the_worker_on_commit(
    eager_tasks: Celery, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        mail = outbox.queue(
            "account_notice", to="ana@example.org", context={"heading": "Hi", "text": "x"}, key="k"
        )
        assert django_mail.outbox == []
    mail.refresh_from_db()
    assert mail.sent_at is not None
    assert len(django_mail.outbox) == 1


def test_a_broker_that_is_down_does_not_matter(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    from celery import Celery as App

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise ConnectionError("broker down")

    monkeypatch.setattr(App, "send_task", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        mail = outbox.queue(
            "account_notice", to="ana@example.org", context={"heading": "Hi", "text": "x"}, key="k"
        )
    assert OutgoingMail.objects.unsent().get() == mail


class TestBackOffice:
    @pytest.fixture(autouse=True)
    def staff(self, settings: Any, client: Client) -> None:
        settings.PRM_STAFF_MFA = False
        client.force_login(UserFactory(role=policy.ACCOUNT_MANAGER))

    def test_the_log_shows_what_was_written_and_lets_nobody_change_it(self, client: Client) -> None:
        mail = OutgoingMailFactory(text="Dear Ana, well done.")
        page = client.get(f"/admin/mail/outgoingmail/{mail.pk}/change/")
        assert b"Dear Ana, well done." in page.content
        assert b'name="_save"' not in page.content
        assert client.post(f"/admin/mail/outgoingmail/{mail.pk}/delete/", {"post": "yes"}).status_code == 403

    @pytest.mark.parametrize(("state", "shown"), [("sent", 1), ("waiting", 1), ("given_up", 1), ("", 3)])
    def test_the_log_is_filtered_by_state(self, client: Client, state: str, shown: int) -> None:
        OutgoingMailFactory(sent_at=NOW)
        OutgoingMailFactory()
        OutgoingMailFactory(attempts=MAX_ATTEMPTS)
        page = client.get("/admin/mail/outgoingmail/", {"state": state} if state else {})
        assert len(page.context["cl"].result_list) == shown

    def test_a_message_that_was_given_up_can_be_tried_again(
        self, client: Client, eager_tasks: Celery, django_capture_on_commit_callbacks: Any
    ) -> None:
        mail = OutgoingMailFactory(attempts=MAX_ATTEMPTS)
        with django_capture_on_commit_callbacks(execute=True):
            client.post("/admin/mail/outgoingmail/", {"action": "try_now", "_selected_action": [mail.pk]})
        mail.refresh_from_db()
        assert mail.sent_at is not None
