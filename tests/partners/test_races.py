"""Verbs that meet in the same moment: one of them wins, the others are refused, and nothing is made twice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from django.db import connection

from partners import applications, approval, drafts, sending, team
from partners.applications import AlreadyDecided
from partners.models import Acceptance, Application, Member, Membership, Partner
from prm.lib.errors import Refused
from prm.mail.models import OutgoingMail
from tests.factories.partners import ApplicationFactory, MemberFactory, TermsVersionFactory
from tests.factories.tiers import TierFactory
from tests.people import mats

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def at_once(*verbs: Callable[[], object]) -> list[object]:
    """Run `verbs` in threads that start together; a refusal is returned, anything else raised."""
    start = Barrier(len(verbs))

    def run(verb: Callable[[], object]) -> object:
        start.wait()
        try:
            return verb()
        except Refused as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(run, verbs))


def test_an_application_approved_by_four_clicks_is_approved_once() -> None:
    application, manager = ApplicationFactory(), mats()
    tier = TierFactory(program=application.program)
    results = at_once(*[lambda: approval.approve(application, tier=tier, by=manager, at=NOW)] * 4)
    assert sum(isinstance(result, Membership) for result in results) == 1
    assert sum(isinstance(result, AlreadyDecided) for result in results) == 3
    assert (Partner.objects.count(), Membership.objects.count()) == (1, 1)
    assert OutgoingMail.objects.filter(kind="application_approved").count() == 1


def test_approval_and_withdrawal_in_one_moment_leave_one_of_them() -> None:
    application, manager = ApplicationFactory(), mats()
    tier = TierFactory(program=application.program)
    results = at_once(
        lambda: approval.approve(application, tier=tier, by=manager, at=NOW),
        lambda: applications.withdraw(application, NOW),
    )
    application.refresh_from_db()
    assert sum(isinstance(result, AlreadyDecided) for result in results) == 1
    assert Membership.objects.exists() is (application.state == "approved")


def test_a_draft_sent_by_fifty_requests_at_once_makes_one_application() -> None:
    threads = 50 if connection.vendor == "postgresql" else 8
    terms = TermsVersionFactory(published=True)
    draft, word = drafts.begin(terms.program, at=NOW, language="en")
    Application.objects.filter(pk=draft.pk).update(
        full_name="Ana Lima", email="ana@lima.example", email_folded="ana@lima.example", furthest_step=2
    )
    receipts = at_once(*[lambda: sending.receive(word, terms=terms, at=NOW)] * threads)
    assert {receipt.reference for receipt in receipts} == {draft.public_id}  # type: ignore[attr-defined]
    assert Application.objects.get().state == "submitted"
    assert Acceptance.objects.count() == 1
    assert [mail.kind for mail in OutgoingMail.objects.all()] == ["application_confirm"]


def test_two_drafts_of_one_mailbox_sent_at_once_make_one_application() -> None:
    terms = TermsVersionFactory(published=True)
    words = []
    for _each in range(2):
        draft, word = drafts.begin(terms.program, at=NOW, language="en")
        Application.objects.filter(pk=draft.pk).update(
            full_name="Ana Lima", email="ana@lima.example", email_folded="ana@lima.example", furthest_step=2
        )
        words.append(word)
    receipts = at_once(
        lambda: sending.receive(words[0], terms=terms, at=NOW),
        lambda: sending.receive(words[1], terms=terms, at=NOW),
    )
    assert all(isinstance(receipt, sending.Receipt) for receipt in receipts)
    assert Application.objects.get().state == "submitted"
    kinds = sorted(mail.kind for mail in OutgoingMail.objects.all())
    assert kinds == ["application_confirm", "application_repeated"]


def test_two_owners_who_remove_each_other_leave_one() -> None:
    first = MemberFactory()
    second = MemberFactory(partner=first.partner)
    results = at_once(
        lambda: team.remove(first, by=second.user, at=NOW),
        lambda: team.remove(second, by=first.user, at=NOW),
    )
    assert sum(isinstance(result, Refused) for result in results) == 1
    assert Member.objects.current().filter(partner=first.partner, role="owner").count() == 1
