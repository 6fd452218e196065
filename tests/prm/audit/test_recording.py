from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from prm import audit
from prm.accounts import policy
from prm.audit import context
from prm.audit.models import AuditEvent
from tests.factories.prm import NOW, AuditEventFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_an_event_says_who_did_what_to_which_object_and_when() -> None:
    fiona, ana = UserFactory(full_name="Fiona"), UserFactory(full_name="Ana")

    event = audit.record(fiona, "person.greeted", ana, at=NOW, note="politely", times=2, rate=Decimal("0.08"))

    event.refresh_from_db()
    assert (event.at, event.actor, event.action, event.note) == (NOW, fiona, "person.greeted", "politely")
    assert (event.object_type, event.object_pk) == ("accounts.user", str(ana.pk))
    assert (event.object_public_id, event.object_text) == (ana.public_id, "Ana")
    assert event.details == {"times": 2, "rate": "0.08"}
    assert event.request_id is None


def test_the_system_is_nobody_and_an_event_may_be_about_nothing() -> None:
    event = audit.record(None, "night.fell", None)
    assert event.actor is None
    assert event.object_type == ""


def test_secrets_never_reach_the_record() -> None:
    event = audit.record(
        None,
        "method.changed",
        None,
        iban="GB33BUKB20201555555555",
        before={"password": "x", "name": "Ana", "nested": [{"api_token": "y"}]},
        secret="",
    )
    assert event.details == {
        "iban": "***",
        "before": {"password": "***", "name": "Ana", "nested": [{"api_token": "***"}]},
        "secret": "",
    }


def test_an_event_falls_with_the_deed() -> None:
    class Stopped(Exception):
        pass

    with pytest.raises(Stopped), transaction.atomic():
        audit.record(None, "night.fell", None)
        raise Stopped
    assert AuditEvent.objects.count() == 0


def test_the_database_refuses_to_change_or_delete_an_event() -> None:
    event = AuditEventFactory()

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEvent.objects.filter(pk=event.pk).update(action="nothing.happened")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEvent.objects.filter(pk=event.pk).delete()
    event.refresh_from_db()
    assert event.action == "thing.done"


def test_audit_auditevent_action_present_refuses_an_event_about_nothing_done() -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEventFactory(action="")
    assert AuditEvent.objects.count() == 0


def test_events_of_one_request_share_its_id() -> None:
    with context.request("abc"):
        event = audit.record(None, "night.fell", None)
    assert event.request_id == "abc"
    assert context.current_request_id() is None


def test_every_answer_names_its_request_and_callers_cannot_choose_the_name(client: Client) -> None:
    first = client.get("/accounts/login/", headers={"X-Request-ID": "forged"})
    second = client.get("/accounts/login/")
    assert len(first["X-Request-ID"]) == 24
    assert first["X-Request-ID"] not in ("forged", second["X-Request-ID"])


class TestBackOffice:
    def test_finance_reads_the_record_and_nobody_writes_it(self, client: Client) -> None:
        fiona = UserFactory(role=policy.FINANCE)
        event = audit.record(fiona, "person.greeted", fiona, note="hello there")
        client.force_login(fiona)

        assert b"person.greeted" in client.get("/admin/audit/auditevent/").content
        page = client.get(f"/admin/audit/auditevent/{event.pk}/change/")
        assert b"hello there" in page.content
        assert b'name="_save"' not in page.content
        assert client.get("/admin/audit/auditevent/add/").status_code == 403
        assert client.post(f"/admin/audit/auditevent/{event.pk}/delete/", {"post": "yes"}).status_code == 403
        assert AuditEvent.objects.filter(pk=event.pk).exists()

    def test_account_managers_do_not_read_it(self, client: Client) -> None:
        client.force_login(UserFactory(role=policy.ACCOUNT_MANAGER))
        assert client.get("/admin/audit/auditevent/").status_code == 403

    @pytest.fixture(autouse=True)
    def easy_staff(self, settings: object) -> None:
        settings.PRM_STAFF_MFA = False  # type: ignore[attr-defined]
