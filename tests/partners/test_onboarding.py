"""A newcomer's checklist reads itself, costs the same for one and for fifty, and is changed and ticked only by who may."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partners import checklists, onboarding, profiles, team
from partners.checklists import StepState
from partners.choices import TeamRole
from partners.models import Membership, OnboardingMark, OnboardingStep, Partner
from payouts.choices import TaxStatus
from payouts.tax import asked_again
from payouts.tax import profiles as taxes
from payouts.tax.profiles import TaxFacts
from prm.accounts.policy import Forbidden
from tests.factories.partners import (
    AcceptanceFactory,
    MemberFactory,
    MembershipFactory,
    PartnerFactory,
    TermsVersionFactory,
)
from tests.factories.payouts import give_account
from tests.factories.recruiting import OnboardingStepFactory
from tests.factories.tiers import EPOCH, ProgramFactory
from tests.house import START, open_house
from tests.people import ada, fiona, mats

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def steps(membership: Membership, *, at: datetime = NOW) -> dict[str, StepState]:
    fresh = Membership.objects.select_related("partner", "program").get(pk=membership.pk)
    return {state.step.kind: state for state in checklists.state_of(fresh, at)}


def test_a_program_nobody_touched_has_the_usual_steps_and_none_is_saved() -> None:
    membership = MembershipFactory()
    assert list(steps(membership)) == ["terms", "profile", "bank", "tax", "first_link"]
    assert not OnboardingStep.objects.exists()


def test_every_step_the_product_sees_ticks_itself() -> None:
    house = open_house()
    membership = house.member("ANA10")
    owner = MemberFactory(partner=membership.partner).user
    version = TermsVersionFactory(published=True, program=house.program)
    states = steps(membership)
    assert {kind for kind, state in states.items() if state.done} == set()
    assert not checklists.is_complete(states.values())

    AcceptanceFactory(terms_version=version, membership=membership, accepted_at=NOW)
    details = {"legal_name": "Ana Ltd", "legal_form": "company", "street": "Mill Lane", "town": "Bristol"}
    profiles.change(membership.partner, details, by=owner, at=NOW)
    give_account(membership, at=NOW - timedelta(days=4))
    taxes.set_profile(membership.partner, TaxFacts("GB", TaxStatus.PRIVATE), by=owner, at=NOW)
    house.sale("first", "100.00", "ANA10", START + timedelta(days=3))
    states = steps(membership)
    assert {kind for kind, state in states.items() if not state.done} == set()
    assert states["terms"].done_at == NOW
    assert states["first_link"].done_at == START + timedelta(days=3)
    assert checklists.is_complete(states.values())


def test_a_new_legal_name_asks_for_the_taxes_again_until_they_are_confirmed() -> None:
    membership = open_house().member("ANA10")
    owner = MemberFactory(partner=membership.partner).user
    Partner.objects.filter(pk=membership.partner_id).update(legal_name="Ana Ltd")
    facts = TaxFacts("GB", TaxStatus.PRIVATE)
    taxes.set_profile(membership.partner, facts, by=owner, at=NOW)
    assert steps(membership)["tax"].done
    profiles.change(membership.partner, {"legal_name": "Ana PLC"}, by=owner, at=NOW + timedelta(days=1))
    later = NOW + timedelta(days=2)
    assert not steps(membership, at=later)["tax"].done
    assert asked_again.everybody(at=later) == {membership.partner_id}
    taxes.set_profile(membership.partner, facts, by=owner, at=later)
    assert steps(membership, at=later)["tax"].done
    assert asked_again.everybody(at=later) == set()


def test_the_vat_number_has_one_source_once_taxes_are_told() -> None:
    membership = open_house().member("ANA10")
    owner = MemberFactory(partner=membership.partner).user
    taxes.set_profile(membership.partner, TaxFacts("GB", TaxStatus.BUSINESS, "GB980780684"), by=owner, at=NOW)
    with pytest.raises(profiles.KeptElsewhere):
        profiles.change(membership.partner, {"vat_number": "GB999999973"}, by=owner, at=NOW)


def test_the_checklists_of_fifty_cost_as_many_queries_as_that_of_one() -> None:
    program = ProgramFactory()
    onboarding.add_step(program, kind="training", title={"en": "Webinar"}, by=ada(), at=NOW)
    onboarding.add_step(program, kind="team", by=ada(), at=NOW)

    def cost() -> int:
        rows = list(Membership.objects.select_related("partner", "program"))
        with CaptureQueriesContext(connection) as queries:
            checklists.states_of(rows, at=NOW)
        return len(queries)

    for _number in range(2):
        MemberFactory(partner=MembershipFactory(program=program).partner)
    few = cost()
    for _number in range(48):
        MemberFactory(partner=MembershipFactory(program=program).partner)
    assert cost() == few <= 12


def test_a_list_becomes_the_programs_own_with_the_first_change() -> None:
    membership = MembershipFactory()
    made = onboarding.add_step(
        membership.program,
        kind="training",
        title={"en": "Watch the webinar", "fr": "Regarder le webinaire"},
        url="https://halden.example/webinar",
        by=ada(),
        at=NOW,
    )
    assert [step.kind for step in OnboardingStep.objects.order_by("position")] == [
        *checklists.DEFAULTS,
        "training",
    ]
    assert steps(membership)["training"].title == "Watch the webinar"
    bank = OnboardingStep.objects.get(kind="bank")
    onboarding.remove_step(bank, by=ada(), at=NOW)
    assert "bank" not in steps(membership)
    with pytest.raises(onboarding.StepRemoved):
        onboarding.remove_step(bank, by=ada(), at=NOW)
    onboarding.change_step(made, position=1, is_required=False, title={"en": "Webinar"}, by=ada(), at=NOW)
    assert steps(membership)["training"].title == "Webinar"
    assert not steps(membership)["training"].is_needed


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"kind": "dance"}, onboarding.UnknownKind),
        ({"kind": "terms"}, onboarding.OnceOnly),
        ({"kind": "training"}, onboarding.TitleMissing),
        ({"kind": "custom", "title": {"en": "x" * 81}}, onboarding.TitleMissing),
        ({"kind": "custom", "title": {"en": "x"}, "help_text": {"fr": "x" * 301}}, onboarding.HelpTooLong),
        ({"kind": "custom", "title": {"en": "x"}, "url": "javascript:alert(1)"}, onboarding.BadAddress),
    ],
)
def test_a_step_that_cannot_be_read_is_refused(given: dict[str, object], refusal: type[Exception]) -> None:
    program = ProgramFactory()
    onboarding.own_list(program, by=ada(), at=NOW)
    with pytest.raises(refusal):
        onboarding.add_step(program, by=ada(), at=NOW, **given)  # type: ignore[arg-type]
    assert OnboardingStep.objects.count() == 5


def test_only_administrators_change_a_list() -> None:
    for by in (mats(), fiona()):
        with pytest.raises(Forbidden):
            onboarding.add_step(ProgramFactory(), kind="training", title={"en": "x"}, by=by, at=NOW)
    assert not OnboardingStep.objects.exists()


def test_training_is_ticked_once_by_who_may_and_can_be_taken_back() -> None:
    membership = MembershipFactory()
    step = OnboardingStepFactory(program=membership.program)
    reader = MemberFactory(partner=membership.partner, role=TeamRole.READ_ONLY).user
    with pytest.raises(onboarding.NotYourStep):
        onboarding.tick(membership, step, by=reader, at=NOW)
    seller = MemberFactory(partner=membership.partner, role=TeamRole.SALES).user
    first = onboarding.tick(membership, step, by=seller, at=NOW)
    assert onboarding.tick(membership, step, by=mats(), at=NOW + timedelta(days=1)) == first
    assert steps(membership)["training"].done_at == NOW
    onboarding.untick(membership, step, by=mats(), at=NOW)
    assert not OnboardingMark.objects.exists()


def test_what_the_product_sees_and_what_is_not_theirs_is_not_ticked_by_hand() -> None:
    membership = MembershipFactory()
    with pytest.raises(onboarding.SeenByItself):
        onboarding.tick(
            membership, OnboardingStepFactory(program=membership.program, kind="bank"), by=mats(), at=NOW
        )
    with pytest.raises(onboarding.OtherProgram):
        onboarding.tick(membership, OnboardingStepFactory(), by=mats(), at=NOW)
    gone = OnboardingStepFactory(program=membership.program, removed_at=EPOCH)
    with pytest.raises(onboarding.StepRemoved):
        onboarding.tick(membership, gone, by=mats(), at=NOW)


def test_a_colleague_invited_counts_as_a_team() -> None:
    membership = MembershipFactory(partner=PartnerFactory())
    owner = MemberFactory(partner=membership.partner).user
    OnboardingStepFactory(program=membership.program, kind="team")
    assert not steps(membership)["team"].done
    team.invite(membership.partner, email="pia@x.example", role="sales", by=owner, at=NOW)
    assert steps(membership)["team"].done_at == NOW
