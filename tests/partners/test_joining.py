"""A membership begins in one way, whoever asked for it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from partners import approval, joining
from partners.applications import AlreadyMember
from partners.joining import Newcomer
from partners.models import Membership, Partner
from partners.team import AccountClosed
from prm.accounts.policy import Forbidden
from prm.audit.models import AuditEvent
from tests.factories.partners import ApplicationFactory, MemberFactory, MembershipFactory
from tests.factories.prm import UserFactory
from tests.factories.tiers import TierFactory
from tests.people import ada, felix, mats
from tiers.models import Tier

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
RITA = Newcomer("Rita Sousa", "rita@sousa.example", company="Sousa", country="Portugal", proven=True)


@pytest.fixture
def tier() -> Tier:
    made: Tier = TierFactory.create(key="start")
    return made


def test_a_membership_may_get_the_id_it_was_promised(tier: Tier) -> None:
    promised = "mem_" + "2" * 26
    joined = joining.join(
        tier.program, person=RITA, tier=tier, by=mats(), at=NOW, because="invited", public_id=promised
    )
    assert (joined.public_id, joined.application, joined.joined_at) == (promised, None, NOW)
    assert joined.placements.get().because == "invited"
    assert joined.partner.account_manager == mats()


def test_an_introducer_of_the_same_program_is_named_recruiter(tier: Tier) -> None:
    above = MembershipFactory.create(program=tier.program)
    application = ApplicationFactory.create(program=tier.program, introducer=above)
    membership = approval.approve(application, tier=tier, by=mats(), at=NOW)
    assert (membership.recruiter, membership.recruited_at) == (above, NOW)
    assert AuditEvent.objects.filter(action="membership.recruiter_named").count() == 1


@pytest.mark.parametrize("why", ["elsewhere", "suspended", "itself"])
def test_an_introducer_overrides_cannot_reach_is_left_out(tier: Tier, why: str) -> None:
    above = {
        "elsewhere": lambda: MembershipFactory.create(),
        "suspended": lambda: MembershipFactory.create(program=tier.program, state="suspended"),
        "itself": lambda: MembershipFactory.create(program=tier.program),
    }[why]()
    if why == "itself":  # a person of the introducer's own team, which has ended meanwhile
        MemberFactory.create(partner=above.partner, user__email=RITA.email)
        Membership.objects.filter(pk=above.pk).update(ended_at=NOW, state="ended")
    joined = joining.join(
        tier.program, person=RITA, tier=tier, by=mats(), at=NOW, because="x", introducer=above
    )
    assert joined.recruiter is None


def test_who_was_assigned_looks_after_the_partner(tier: Tier) -> None:
    application = ApplicationFactory.create(
        program=tier.program,
        manager=mats(),
        assigned_at=NOW,
        vat_number="PT501964843",
        street="Rua Augusta 12",
        postcode="1100-048",
        town="Lisboa",
    )
    partner = approval.approve(application, tier=tier, by=ada(), at=NOW).partner
    assert partner.account_manager == mats()
    assert (partner.vat_number, partner.street) == ("PT501964843", "Rua Augusta 12")
    assert (partner.postcode, partner.town) == ("1100-048", "Lisboa")


def test_a_long_street_keeps_its_number() -> None:
    long = "Aleja Marszalka Ferdynanda Focha i Wszystkich Innych Bohaterow Wielkiej Wojny 112B"
    street, number = joining.street_and_number(long)
    assert (len(street), number) == (70, "112B")
    assert joining.street_and_number(" Rua  Augusta 12 ") == ("Rua Augusta 12", "")


def test_who_is_in_the_program_does_not_join_again(tier: Tier) -> None:
    joining.join(tier.program, person=RITA, tier=tier, by=mats(), at=NOW, because="x")
    with pytest.raises(AlreadyMember):
        joining.join(tier.program, person=RITA, tier=tier, by=mats(), at=NOW, because="x")
    assert (Membership.objects.count(), Partner.objects.count()) == (1, 1)


def test_finance_lets_nobody_in(tier: Tier) -> None:
    with pytest.raises(Forbidden):
        joining.join(tier.program, person=RITA, tier=tier, by=felix(), at=NOW, because="x")
    assert not Membership.objects.exists()


def test_nobody_joins_with_a_closed_account(tier: Tier) -> None:
    application = ApplicationFactory.create(program=tier.program)
    UserFactory.create(email=application.email, is_active=False)
    with pytest.raises(AccountClosed, match="account of this e-mail address is closed"):
        approval.approve(application, tier=tier, by=mats(), at=NOW)
    application.refresh_from_db()
    assert application.state == "submitted"
    assert not Membership.objects.exists()
    assert not Partner.objects.exists()
