"""A program opens when everything is there, takes applications while it has terms and a place, and closes with a day or without."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from partners import launching
from partners.launching import CheckState
from payouts.launch_check import payment_file
from payouts.models import Payment, PayRun, Statement
from prm.accounts import policy
from prm.audit.models import AuditEvent
from referrals.launch_check import destination
from tests.factories.partners import MembershipFactory, TermsVersionFactory
from tests.factories.recruiting import (
    FormVersionFactory,
    OnboardingStepFactory,
    ProgramResourceFactory,
    ProgramTextFactory,
)
from tests.factories.tiers import LegalEntityFactory, ProgramFactory, TierFactory, published_plan
from tests.people import ada, mats
from tiers.models import LegalEntity, Program

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
IBAN = "GB94BARC10201530093459"


def bank() -> LegalEntity:
    return LegalEntityFactory.create(iban=IBAN, bic="BARCGB22")


def ready(**changes: Any) -> Program:
    """Return a closed program that lacks nothing."""
    program = ProgramFactory.create(**{"is_open": False, "legal_entity": bank(), **changes})
    TermsVersionFactory.create(published=True, program=program)
    TierFactory.create(program=program)
    published_plan(program, by=ada())
    ProgramResourceFactory.create(program=program)
    OnboardingStepFactory.create(program=program)
    return program


def found(program: Program) -> dict[str, CheckState]:
    return {str(check.title): check.state for check in launching.checks_of(program, at=NOW)}


def test_a_program_that_lacks_nothing_opens_once() -> None:
    program = ready(reopens_on=date(2027, 3, 1))
    assert set(found(program).values()) == {CheckState.OK}
    opened = launching.open_program(program, by=ada(), at=NOW)
    assert (opened.is_open, opened.reopens_on) == (True, None)
    with pytest.raises(launching.AlreadyOpen):
        launching.open_program(program, by=ada(), at=NOW)
    assert AuditEvent.objects.filter(action="program.opened", object_pk=str(program.pk)).count() == 1


def test_what_is_missing_is_named_and_nothing_opens() -> None:
    entity = LegalEntityFactory.create(contact_email="")
    program = ProgramFactory.create(is_open=False, summary="", legal_entity=entity)
    with pytest.raises(launching.NotReady) as refusal:
        launching.open_program(program, by=ada(), at=NOW)
    assert str(refusal.value) == (
        "The program cannot open yet. Missing: Terms, Plan, Tiers, Who can join, Contact, Resources, Payment file."
    )
    program.refresh_from_db()
    assert not program.is_open


def test_warnings_do_not_keep_a_program_closed() -> None:
    program = ready(is_public=False, destination_url="http://shop.halden.example/")
    program.onboarding_steps.all().delete()
    states = found(program)
    warned = {title for title, state in states.items() if state is CheckState.WARNING}
    assert warned == {"Program page", "First steps", "Destination of links"}
    assert launching.open_program(program, by=ada(), at=NOW).is_open


def test_terms_that_begin_later_are_not_there_yet() -> None:
    assert found(ProgramFactory.create())["Terms"] is CheckState.MISSING
    other = ProgramFactory.create()
    TermsVersionFactory.create(published=True, program=other, effective_at=NOW + timedelta(days=1))
    assert found(other)["Terms"] is CheckState.MISSING
    assert not launching.takes_applications(other, at=NOW)
    assert launching.takes_applications(other, at=NOW + timedelta(days=1))


def test_a_plan_that_leaves_an_ordinary_sale_without_pay_is_warned_of() -> None:
    program = ProgramFactory.create()
    TierFactory.create(program=program, name="Bronze")
    lead = {"kind": "flat", "rate": 0, "flat_minor": 500, "event_kinds": ["qualified_lead"]}
    published_plan(program, lead, by=ada())
    check = next(each for each in launching.checks_of(program, at=NOW) if "every sale" in str(each.title))
    assert check.state is CheckState.WARNING
    assert "Bronze" in str(check.says)


def test_a_form_that_cannot_be_asked_keeps_a_program_closed() -> None:
    program = ready()
    FormVersionFactory.create(program=program, published=True, definition={"fields": "none"})
    assert found(program)["Application form"] is CheckState.MISSING


def test_who_can_join_may_stand_in_the_settings_or_on_the_page() -> None:
    program = ProgramFactory.create(summary="")
    assert found(program)["Who can join"] is CheckState.MISSING
    ProgramTextFactory.create(program=program)
    assert found(program)["Who can join"] is CheckState.OK


@pytest.mark.parametrize(
    ("entity", "currency", "state", "said"),
    [
        ({"iban": IBAN, "bic": "BARCGB22"}, "GBP", "ok", "pain.001.001.09"),
        ({"iban": "DE89370400440532013000", "bank_file": "pain.001.001.03"}, "EUR", "ok", "pain.001.001.03"),
        ({"us_routing_number": "011000015", "us_company_id": "1234567890"}, "USD", "ok", "nacha"),
        ({}, "GBP", "missing", "has no account payments leave from"),
        ({"iban": "GB94BARC10201530093450"}, "GBP", "missing", "the IBAN is wrong"),
        ({"us_routing_number": "011000015"}, "USD", "missing", "company id"),
        ({"iban": IBAN, "town": ""}, "GBP", "missing", "town"),
    ],
)
def test_a_payment_file_is_really_made_and_thrown_away(
    entity: dict[str, str], currency: str, state: str, said: str
) -> None:
    program = ProgramFactory.create(legal_entity=LegalEntityFactory.create(**entity), currency=currency)
    check = payment_file(program, NOW)
    assert (check.state, said in str(check.says)) == (state, True), check.says
    assert not (PayRun.objects.exists() or Payment.objects.exists() or Statement.objects.exists())


def test_links_must_lead_where_links_may() -> None:
    program = ProgramFactory.create(destination_url="http://testserver/r/round-and-round")
    assert destination(program, NOW).state is CheckState.MISSING
    assert destination(ProgramFactory.create(), NOW).state is CheckState.OK


def test_a_program_with_as_many_partners_as_it_takes_is_full_until_one_leaves(
    django_assert_num_queries: Any,
) -> None:
    program = ProgramFactory.create(most_partners=2)
    TermsVersionFactory.create(published=True, program=program)
    first, _second = MembershipFactory.create_batch(2, program=program, state="active")
    MembershipFactory.create(program=program, state="onboarding")
    assert not launching.takes_applications(program, at=NOW)
    assert launching.full_ones([program]) == {program.pk}
    first.state = "suspended"
    first.save(update_fields=["state"])
    assert launching.takes_applications(program, at=NOW)
    with django_assert_num_queries(2):
        launching.taking([program, ProgramFactory.build(pk=99), ProgramFactory.build(pk=98)], at=NOW)


def test_closing_says_until_when_and_refuses_a_day_that_has_passed() -> None:
    program = ready(is_open=True)
    with pytest.raises(launching.ReopensInThePast):
        launching.close_program(program, reopens_on=date(2026, 11, 20), by=ada(), at=NOW)
    closed = launching.close_program(program, reopens_on=date(2027, 3, 1), by=ada(), at=NOW)
    assert not launching.takes_applications(closed, at=NOW)
    assert launching.closed_until(closed, at=NOW) == date(2027, 3, 1)
    # The day itself has come and nobody has opened it: nothing is promised any more.
    assert launching.closed_until(closed, at=datetime(2027, 3, 1, 0, 0, tzinfo=UTC)) is None
    with pytest.raises(launching.AlreadyClosed):
        launching.close_program(closed, reopens_on=None, by=ada(), at=NOW)


def test_only_who_manages_programs_opens_and_closes() -> None:
    program = ready()
    with pytest.raises(policy.Forbidden):
        launching.open_program(program, by=mats(), at=NOW)
    with pytest.raises(policy.Forbidden):
        launching.close_program(program, reopens_on=None, by=mats(), at=NOW)
