"""Erasing a person: dry run, hindrances, and afterwards a look through every text in the database for who they were."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Cast
from django.test import Client

from partners import approval, erasure, leaving, team
from partners.applications import AlreadyDecided
from partners.models import Acceptance, Application, ApplicationFile, Partner, Reference
from partners.models.application import ApplicationQuerySet
from payouts import pay_runs, reconciliation
from payouts.models import Statement
from prm import audit
from prm.accounts import people
from prm.accounts.models import User
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from prm.lib.periods import Month
from prm.mail import outbox
from prm.mail.models import OutgoingMail
from tests.factories.partners import AcceptanceFactory, ApplicationFactory, MemberFactory
from tests.factories.payouts import close_months, exported, give_account
from tests.factories.recruiting import ProspectFactory, ReferenceFactory, WaitingMailboxFactory
from tests.factories.tiers import TierFactory
from tests.house import House, open_house
from tests.people import ada, fiona, mats

pytestmark = pytest.mark.django_db
NAME, MAILBOX, PHONE = "Zoë Quill-Ferreira", "zoe.quill@studio.example", "+351 912 345 678"


def on(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


NOW = on(7, 1)


@pytest.fixture
def zoe() -> User:
    return people.open_account(email=MAILBOX, full_name=NAME, at=on(3, 1), proven=True)


@pytest.fixture
def house(zoe: User) -> House:
    """Zoë is in business alone, earned 80.00, was paid, and has left; she is named all over the place."""
    house = open_house()
    membership = house.member("ZOE10", at=on(4, 1), owner=zoe)
    partner = membership.partner
    partner.name, partner.legal_name, partner.legal_form = "Quill Studio", NAME, "sole_trader"
    partner.email, partner.phone, partner.street = MAILBOX, PHONE, "Rua do Norte"
    partner.town = "Porto"
    partner.save()
    application = ApplicationFactory.create(
        program=house.program,
        email=MAILBOX,
        full_name=NAME,
        phone=PHONE,
        state="approved",
        decided_at=on(4, 1),
        decided_by=mats(),
        answers={"why": f"I am {NAME}"},
    )
    type(membership).objects.filter(pk=membership.pk).update(application=application)
    AcceptanceFactory.create(
        application=application, membership=membership, accepted_name=NAME, accepted_email=MAILBOX, person=zoe
    )
    ReferenceFactory.create(full_name=NAME, email=MAILBOX.upper())
    ProspectFactory.create(
        program=house.program, email=MAILBOX, full_name=NAME, phone=PHONE, notes=f"Called {PHONE}."
    )
    WaitingMailboxFactory.create(program=house.program, email=MAILBOX)
    audit.record(
        ada(),
        "team.invited",
        application,
        at=on(4, 2),
        note=f"{NAME} rang",
        email=MAILBOX,
        told=[{"to": PHONE}],
    )
    outbox.queue(
        "account_notice",
        to="mats@halden.example",
        key=f"about:{MAILBOX}",
        context={"text": f"{NAME} {MAILBOX}"},
    )
    OutgoingMail.objects.update(sent_at=on(4, 2))
    give_account(membership, at=on(4, 2), holder=NAME, by=zoe)
    house.sale("s-1", "1000.00", "ZOE10", on(4, 3))
    house.rate(on(4, 3))
    leaving.leave(membership, by=zoe, at=on(4, 20))
    close_months(house.program, Month(2026, 4), at=on(5, 2))
    return house


def pay(house: House) -> None:
    run = exported(house.program.legal_entity, at=on(5, 12))
    pay_runs.settle(run, by=fiona(), at=on(5, 16))


def tables_that_name(*needles: str) -> set[str]:
    """Return the models in some text of which a needle stands, escaped or not, files' names included."""
    found = set()
    for model in apps.get_models():
        texts = [
            field.name
            for field in model._meta.concrete_fields
            if isinstance(field, models.CharField | models.TextField | models.JSONField | models.FileField)
        ]
        rows = model._default_manager.annotate(
            **{f"as_text_{name}": Cast(name, models.TextField()) for name in texts}
        )
        wanted = Q(pk__in=[])
        for needle in needles:
            for spelling in {needle, needle.encode("unicode_escape").decode().replace("\\x", "\\u00")}:
                for name in texts:
                    wanted |= Q(**{f"as_text_{name}__icontains": spelling})
        if rows.filter(wanted).exists():
            found.add(model._meta.label_lower)
    return found


def test_afterwards_the_person_is_found_only_where_the_page_said(
    house: House, zoe: User, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    pay(house)
    application = Application.objects.get(email=MAILBOX)
    name = default_storage.save("applications/zoe", ContentFile(b"%PDF"))
    ApplicationFile.objects.create(
        application=application,
        field_key="cv",
        name=f"{NAME}.pdf",
        kind="pdf",
        size=4,
        sha256="0" * 64,
        file=name,
        added_at=on(4, 1),
    )
    before = tables_that_name(NAME, MAILBOX, PHONE)
    assert {"accounts.user", "partners.application", "audit.auditevent", "mail.outgoingmail"} <= before
    with django_capture_on_commit_callbacks(execute=True):
        event = erasure.erase_person(zoe, by=ada(), at=NOW)
    assert tables_that_name(NAME, MAILBOX, PHONE) <= erasure.tables_kept()
    assert tables_that_name(MAILBOX, PHONE) <= erasure.tables_kept() - {"partners.partner"}
    assert not default_storage.exists(name)
    assert reconciliation.check() == []
    partner = Partner.objects.get(pk=house.members["ZOE10"].partner_id)
    assert (partner.legal_name, partner.email, partner.phone, partner.street) == (NAME, "", "", "")
    acceptance = Acceptance.objects.get(application=application)
    assert (acceptance.accepted_name, acceptance.address, acceptance.erased_at) == ("", None, NOW)
    assert acceptance.text_sha256
    assert Statement.objects.filter(membership=house.members["ZOE10"]).exists()
    told = AuditEvent.objects.get(action="team.invited", object_pk=str(application.pk))
    assert (told.redaction, told.details) == (event, {"email": "[erased]", "told": [{"to": "[erased]"}]})
    assert event.details["partners"] == [partner.public_id]


def test_nobody_signs_in_any_more_and_sessions_end(house: House, zoe: User) -> None:
    pay(house)
    client = Client()
    client.force_login(zoe)
    erasure.erase_person(zoe, by=ada(), at=NOW)
    assert client.get("/portal/").status_code == 302
    assert people.find(MAILBOX) is None
    zoe.refresh_from_db()
    assert (zoe.is_active, zoe.has_usable_password()) == (False, False)


def test_the_dry_run_says_what_goes_stays_and_hinders_and_changes_nothing(house: House, zoe: User) -> None:
    made = erasure.plan(erasure.case_of(zoe))
    assert made.hindrances == ["80.00 GBP is still owed to the partner: pay it first."]
    assert any("1 application with its answers" in line for line in made.removed)
    assert any("1 prospect" in line for line in made.removed)
    assert any("kept 10 years" in str(kept.why) for kept in made.kept)
    with pytest.raises(erasure.Hindered, match="pay it first"):
        erasure.erase_person(zoe, by=ada(), at=NOW)
    zoe.refresh_from_db()
    assert zoe.email == MAILBOX
    assert not AuditEvent.objects.filter(action="person.erased").exists()


def test_staff_the_last_owner_and_members_of_living_partners_are_not_erased_yet(zoe: User) -> None:
    house = open_house()
    partner = house.member("ZOE10", owner=zoe).partner
    assert erasure.plan(erasure.case_of(zoe)).hindrances == [
        "The membership of Partner ZOE10 in Halden affiliates has not ended."
    ]
    helper = MemberFactory.create(partner=partner, role="finance")
    [last, _living] = erasure.plan(erasure.case_of(zoe)).hindrances
    assert "last owner of Partner ZOE10" in last
    team.change_role(helper, role="owner", by=zoe, at=NOW)
    assert erasure.plan(erasure.case_of(zoe)).hindrances == []
    erasure.erase_person(zoe, by=ada(), at=NOW)
    partner.refresh_from_db()
    assert (partner.name, partner.erased_at) == ("Partner ZOE10", None)
    assert "belongs to our staff" in erasure.plan(erasure.case_of(mats())).hindrances[0]


def test_only_administrators_erase_and_never_themselves(zoe: User) -> None:
    with pytest.raises(Forbidden):
        erasure.erase_person(zoe, by=mats(), at=NOW)
    with pytest.raises(Forbidden):
        erasure.erase_mailbox(MAILBOX, by=fiona(), at=NOW)
    with pytest.raises(erasure.NotYourself):
        erasure.erase_person(ada(), by=ada(), at=NOW)


def test_people_without_an_account_are_erased_by_their_mailbox() -> None:
    ApplicationFactory.create(
        email=MAILBOX, full_name=NAME, phone=PHONE, state="submitted", submitted_at=on(4, 1)
    )
    ReferenceFactory.create(full_name=NAME, email=MAILBOX)
    ApplicationFactory.create(email=MAILBOX, full_name=NAME, state="draft", submitted_at=None)
    erasure.erase_mailbox(MAILBOX.upper(), by=ada(), at=NOW)
    assert tables_that_name(NAME, MAILBOX, PHONE) == set()
    [left] = Application.objects.filter(erased_at=NOW)
    assert left.state == "withdrawn"
    assert Reference.objects.get().full_name == "[erased]"
    with pytest.raises(erasure.NobodyThere):
        erasure.erase_mailbox(MAILBOX, by=ada(), at=NOW)


def test_an_approval_that_comes_first_hinders_and_one_that_comes_after_finds_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tier = TierFactory.create()
    waiting = ApplicationFactory.create(program=tier.program, email=MAILBOX, email_confirmed_at=on(4, 1))
    lock, waits = ApplicationQuerySet.lock, [True]

    def lock_after_an_approval(rows: ApplicationQuerySet) -> ApplicationQuerySet:
        if waits and waits.pop():
            approval.approve(waiting, tier=tier, by=mats(), at=NOW)
        return lock(rows)

    with monkeypatch.context() as patched:
        patched.setattr(ApplicationQuerySet, "lock", lock_after_an_approval)
        with pytest.raises(erasure.Hindered, match="has not ended"):
            erasure.erase_mailbox(MAILBOX, by=ada(), at=NOW)
    # Erased is closed, whatever state was left behind.
    Application.objects.filter(pk=waiting.pk).update(erased_at=NOW, state="in_review", decided_at=None)
    with pytest.raises(AlreadyDecided):
        approval.approve(waiting, tier=tier, by=mats(), at=NOW)


def test_the_audit_record_opens_only_for_an_erasure_that_is_named() -> None:
    event = audit.record(ada(), "team.invited", None, at=NOW, note="Zoë")
    other = audit.record(ada(), "team.joined", None, at=NOW)
    erased = audit.record(ada(), "person.erased", None, at=NOW)
    rows = AuditEvent.objects.filter(pk=event.pk)

    def refused(**values: object) -> None:
        from django.db import IntegrityError, transaction

        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            rows.update(**values)

    refused(note="")
    refused(note="", redaction=other)
    refused(action="team.joined", redaction=erased)
    refused(actor=None, redaction=erased)
    refused(at=NOW + timedelta(days=1), redaction=erased)
    assert rows.update(note="", redaction=erased) == 1  # audit_auditevent_redacted_only
    refused(note="Back", redaction=erased)
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        rows.delete()  # audit_auditevent_no_delete
    assert connection.vendor in ("sqlite", "postgresql")
