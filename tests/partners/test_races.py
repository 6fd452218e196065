"""Verbs that meet in the same moment: one of them wins, the others are refused, and nothing is made twice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from django.db import connection

from partners import applications, approval, team
from partners.applications import AlreadyDecided, Answers
from partners.models import Application, Member, Membership, Partner
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


def test_the_same_form_in_four_requests_at_once_makes_one_application() -> None:
    terms = TermsVersionFactory(published=True)
    answers = Answers("Ana Lima", "ana@lima.example", "+351 21 000 0000", "Lima", "Portugal")
    receipts = at_once(
        *[
            lambda: applications.receive(
                terms.program, answers=answers, terms=terms, at=NOW, reference="app_" + "2" * 26
            )
        ]
        * 4
    )
    assert {receipt.reference for receipt in receipts} == {"app_" + "2" * 26}  # type: ignore[attr-defined]
    assert Application.objects.count() == 1
    assert [mail.kind for mail in OutgoingMail.objects.all()] == ["application_received"]


def test_two_owners_who_remove_each_other_leave_one() -> None:
    first = MemberFactory()
    second = MemberFactory(partner=first.partner)
    results = at_once(
        lambda: team.remove(first, by=second.user, at=NOW),
        lambda: team.remove(second, by=first.user, at=NOW),
    )
    assert sum(isinstance(result, Refused) for result in results) == 1
    assert Member.objects.current().filter(partner=first.partner, role="owner").count() == 1
