"""Rules decide once, in their order, in the name of whoever switched them on, and never on what nobody knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from partners import arrivals, blocking, eligibility, eligibility_rules
from partners.eligibility_conditions import BadCondition, Condition, Known, NoConditions, holds, read
from partners.models import Application, Blocked, EligibilityRule, Membership
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from prm.mail.models import OutgoingMail
from tests.desk import at_desk, links, words
from tests.factories.partners import ApplicationFactory
from tests.factories.recruiting import ReferenceFactory
from tests.factories.tiers import ProgramFactory, TierFactory
from tests.people import ada, felix, mats
from tiers.models import Program

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BEFORE = NOW - timedelta(days=1)
DISPOSABLE = [{"field": "signals", "operator": "has", "value": "disposable_email"}]


@pytest.mark.parametrize(
    ("operator", "value", "known", "expected"),
    [
        ("equals", "Portugal", "portugal ", True),
        ("equals", "Portugal", "Poland", False),
        ("is_not", "Portugal", "Poland", True),
        ("is_not", "Portugal", None, False),  # what nobody knows decides nothing
        ("one_of", "Portugal, Spain", "Spain", True),
        ("one_of", "Portugal, Spain", "France", False),
        ("one_of", "seo, mail", frozenset({"mail", "ads"}), True),
        ("at_least", "1 000", Decimal(1000), True),
        ("at_least", "1000", Decimal(999), False),
        ("at_least", "1000", "1,200", True),
        ("at_least", "1000", "many", False),
        ("at_most", "10", Decimal(10), True),
        ("at_most", "10", None, False),
        ("equals", "3", Decimal(3), True),
        ("has", "disposable_email", frozenset({"disposable_email", "short_text"}), True),
        ("has", "disposable_email", frozenset(), False),
        ("has_not", "disposable_email", frozenset({"short_text"}), True),
        ("has_not", "disposable_email", frozenset({"disposable_email"}), False),
    ],
)
def test_a_condition_holds(operator: str, value: str, known: Known | None, expected: bool) -> None:
    assert holds(Condition("answers.x", operator, value), known) is expected


@pytest.mark.parametrize(
    "row",
    [
        {"field": "signals", "operator": "at_least", "value": "3"},
        {"field": "audience", "operator": "at_least", "value": "many"},
        {"field": "country", "operator": "equals", "value": " "},
        {"field": "answers.", "operator": "equals", "value": "x"},
        {"field": "password", "operator": "equals", "value": "x"},
        {},
    ],
)
def test_a_condition_without_sense_is_refused(row: dict[str, str]) -> None:
    with pytest.raises(BadCondition):
        read([row])


def test_a_rule_for_everybody_is_refused() -> None:
    with pytest.raises(NoConditions):
        read([])


pytestmark = pytest.mark.django_db


@pytest.fixture
def program() -> Program:
    made: Program = ProgramFactory.create()
    return made


def in_use(program: Program, **values: Any) -> EligibilityRule:
    given = {
        "name": "Throw-away",
        "decision": "reject",
        "reason": "other",
        "conditions": DISPOSABLE,
        **values,
    }
    rule = eligibility_rules.draft(program, by=mats(), at=BEFORE, **given)
    return eligibility_rules.activate(rule, by=mats(), at=BEFORE)


def arrived(program: Program, **values: Any) -> Application:
    given = {"created_at": NOW, "email": "x@mailinator.com", **values}
    made: Application = ApplicationFactory.create(program=program, **given)
    return made


def test_a_rule_declines_with_its_reason_in_the_name_of_who_switched_it_on(program: Program) -> None:
    rule = in_use(program, reapply_days=30, note="We need a lasting address.")
    application = arrived(program)
    arrivals.receive(application, at=NOW)
    application.refresh_from_db()
    assert (application.state, application.rejection_reason, application.rule) == ("rejected", "other", rule)
    assert (application.decided_by, application.decided_at) == (mats(), NOW)
    assert application.reapply_on == (NOW + timedelta(days=30)).date()
    event = AuditEvent.objects.get(action="application.decided_by_rule")
    assert event.details["conditions"][0]["value"] == "disposable_email"
    assert "disposable_email" in event.details["conditions"][0]["seen"]
    assert "mailinator" not in str(event.details)
    mail = OutgoingMail.objects.get(kind="application_declined")
    assert "decided automatically" in mail.text
    assert "partners@halden.example" in mail.text


def test_a_rule_approves_into_its_tier(program: Program) -> None:
    tier = TierFactory.create(program=program, key="gold")
    conditions = [
        {"field": "audience", "operator": "at_least", "value": "5000"},
        {"field": "references_confirmed", "operator": "at_least", "value": "1"},
        {"field": "answers.topic", "operator": "one_of", "value": "garden, books"},
    ]
    in_use(program, decision="approve", tier=tier, conditions=conditions, reason="")
    channels = [{"kind": "youtube", "url": "", "audience": 3000}, {"kind": "x", "audience": 2000}]
    application = arrived(program, channels=channels, answers={"topic": "garden"}, email="a@lima.example")
    ReferenceFactory.create(application=application, answer="confirmed", answered_at=NOW)
    arrivals.receive(application, at=NOW)
    membership = Membership.objects.get(application=application)
    assert membership.placements.get().tier == tier
    assert membership.partner.account_manager == mats()


def test_the_first_rule_that_is_met_decides(program: Program) -> None:
    flag = {"decision": "flag", "reason": "", "name": "Look at Portugal"}
    country = [{"field": "country", "operator": "equals", "value": "Portugal"}]
    last = in_use(program, conditions=country)
    first = in_use(program, conditions=country, **flag)
    eligibility_rules.move(first, up=True, by=mats(), at=BEFORE)
    application = arrived(program)
    assert eligibility.decide(application, at=NOW) == first
    application.refresh_from_db()
    assert (application.state, application.rule) == ("submitted", first)
    assert eligibility.decide(application, at=NOW) is None  # asked once
    last.refresh_from_db()
    assert last.position == 2


@pytest.mark.parametrize("why", ["later rule", "looked at", "not confirmed", "retired", "no right any more"])
def test_rules_leave_alone_what_is_not_theirs(program: Program, why: str) -> None:
    rule = in_use(program)
    application = arrived(program)
    if why == "later rule":
        EligibilityRule.objects.filter(pk=rule.pk).update(retired_at=NOW)
        later = eligibility_rules.draft(
            program, name="L", decision="reject", reason="other", conditions=DISPOSABLE, by=mats(), at=NOW
        )
        eligibility_rules.activate(later, by=mats(), at=NOW + timedelta(seconds=1))
    elif why == "looked at":
        Application.objects.filter(pk=application.pk).update(state="in_review")
    elif why == "not confirmed":
        Application.objects.filter(pk=application.pk).update(email_confirmed_at=None)
    elif why == "retired":
        eligibility_rules.retire(rule, by=mats(), at=NOW)
    else:
        author = mats()
        author.is_active = False
        author.save(update_fields=["is_active"])
    assert eligibility.decide(application, at=NOW + timedelta(minutes=1)) is None
    application.refresh_from_db()
    assert application.decided_at is None


def test_the_sweep_finds_what_the_bell_missed(program: Program) -> None:
    in_use(program)
    application = arrived(program)
    assert arrivals.sweep(at=NOW) == 1
    application.refresh_from_db()
    assert application.state == "rejected"
    assert arrivals.sweep(at=NOW) == 0


def test_a_rule_in_use_cannot_be_changed(program: Program) -> None:
    rule = in_use(program)
    with pytest.raises(eligibility_rules.InUse):
        eligibility_rules.change(
            rule, name="x", decision="reject", reason="fit", conditions=DISPOSABLE, by=mats(), at=NOW
        )
    with pytest.raises(eligibility_rules.InUse):
        eligibility_rules.activate(rule, by=mats(), at=NOW)
    with pytest.raises(Forbidden):
        eligibility_rules.retire(rule, by=felix(), at=NOW)
    with pytest.raises(eligibility_rules.NoTier):
        eligibility_rules.draft(
            program, name="x", decision="approve", conditions=DISPOSABLE, by=mats(), at=NOW
        )


def test_a_rule_is_written_tried_and_switched_on_in_the_back_office(program: Program) -> None:
    arrived(program, company="Throw Ltd")
    arrived(program, email="ana@lima.example", company="Kept Ltd")
    client = at_desk(ada())
    add = reverse("admin:partners_eligibilityrule_add") + f"?program={program.pk}"
    form = {
        "program": program.pk,
        "name": "Throw-away mailboxes",
        "decision": "reject",
        "reason": "other",
        "conditions-0-field": "signals",
        "conditions-0-operator": "has",
        "conditions-0-value": "disposable_email",
    }
    wrong = client.post(add, {**form, "conditions-0-operator": "at_least"})
    assert wrong.status_code == 422
    assert "cannot be asked of" in words(wrong)
    page = client.post(add, form, follow=True)
    rule = EligibilityRule.objects.get()
    assert "Of the 2 newest applications of this program, it would have met 1." in words(page)
    assert "Throw Ltd" in words(page)
    assert "Kept Ltd" not in words(page)
    activate = reverse("admin:partners_eligibilityrule_activate", args=[rule.pk])
    assert activate in links(page)
    assert "It declines: Another reason." in words(client.get(activate))
    client.post(activate)
    rule.refresh_from_db()
    assert rule.activated_by == ada()
    assert at_desk(felix()).post(activate).status_code == 403


def test_something_is_blocked_and_let_go_in_the_back_office(program: Program) -> None:
    client, add = at_desk(mats()), reverse("admin:partners_blocked_add")
    refused = client.post(add, {"kind": "domain", "value": "gmail.com", "reason": "x"})
    assert refused.status_code == 422
    assert "public provider" in words(refused)
    client.post(add, {"kind": "domain", "value": "https://www.spam.example/x", "reason": "Lead farms"})
    entry = Blocked.objects.get()
    assert (entry.value, entry.program, entry.created_by) == ("spam.example", None, mats())
    client.post(reverse("admin:partners_blocked_end", args=[entry.pk]))
    entry.refresh_from_db()
    assert entry.ended_by == mats()
    with pytest.raises(blocking.EndedAlready):
        blocking.unblock(entry, by=mats(), at=NOW)
