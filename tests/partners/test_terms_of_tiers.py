"""Terms for one tier: who stands in it has those, who moves is asked for others, and nobody is held to what he left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from partners import onboarding_steps, placement, terms, terms_asking, terms_scope
from partners.choices import Consequence
from partners.models import Acceptance, Membership, TermsNotice, TermsVersion
from partners.terms.publishing import OtherTier, TooSoon
from payouts import terms_pauses
from payouts.models import Pause
from prm.lib.errors import Refused
from prm.mail.models import OutgoingMail
from tests.factories.partners import MemberFactory, MembershipFactory
from tests.factories.tiers import ProgramFactory, TierFactory
from tests.people import ada, ana
from tiers.models import Program, Tier

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TEXTS = {
    "summary": "We pay a share.",
    "pricing": "8 %",
    "what_counts": "Orders",
    "how_measured": "Last click",
    "support": "By mail",
}


class House:
    """A program in UTC whose one member, Ana's, stands in Registered and accepted its terms; Gold has terms of its own since today."""

    def __init__(self, consequence: str = Consequence.PAYMENTS_WAIT) -> None:
        self.program: Program = ProgramFactory.create(time_zone="UTC")
        self.registered: Tier = TierFactory.create(program=self.program, key="registered", rank=1)
        self.gold: Tier = TierFactory.create(program=self.program, key="gold", name="Gold", rank=2)
        self.membership: Membership = MembershipFactory.create(
            program=self.program, joined_at=NOW - 100 * DAY, partner__language="en"
        )
        MemberFactory.create(partner=self.membership.partner, user=ana())
        self.move(self.registered, at=NOW - 100 * DAY)
        self.common = self.publish(None, at=NOW - 90 * DAY)
        terms.accept(
            self.common, name="Ana", email="ana@x.example", at=NOW - 80 * DAY, membership=self.membership
        )
        terms_asking.tell(self.common.pk, at=NOW - 79 * DAY)
        self.own = self.publish(self.gold, at=NOW, support="Within four hours", consequence=consequence)
        assert terms_asking.tell(self.own.pk, at=NOW) == 0  # nobody stands there

    def publish(self, tier: Tier | None, *, at: datetime, **values: object) -> TermsVersion:
        draft = terms.draft(self.program, sections={**TEXTS, **values}, tier=tier, by=ada(), at=at)
        return terms.publish(draft, effective_at=at, by=ada(), at=at)

    def move(self, tier: Tier, *, at: datetime) -> None:
        placement.place(self.membership, tier=tier, by=ada(), at=at, because="By hand")

    def asked(self, *, at: datetime) -> TermsVersion | None:
        return terms.needs_acceptance(self.membership, at)

    def agree(self, version: TermsVersion, *, at: datetime) -> Acceptance:
        return terms_asking.agree(
            version, membership=self.membership, shown=version.sha256, by=ana(), at=at, address="192.0.2.1"
        )


def test_a_tier_with_terms_of_its_own_has_those_and_every_other_the_programs() -> None:
    house = House()
    assert terms.in_force(house.program, NOW) == house.common
    assert terms.in_force(house.program, NOW, tier=house.registered) == house.common
    assert terms.in_force(house.program, NOW, tier=house.gold) == house.own
    assert terms.in_force(house.program, NOW - DAY, tier=house.gold) == house.common
    assert terms.for_newcomers(house.program, NOW) == house.common
    assert terms.own_of_tiers(house.program, NOW) == {house.gold.pk: house.own}
    house.common.refresh_from_db()
    assert house.common.state == "published"  # what is for one tier supersedes nothing of the others


def test_applicants_read_the_terms_of_the_tier_they_begin_in() -> None:
    house = House()
    first = house.publish(house.registered, at=NOW + 31 * DAY, notice_days=0)
    assert terms.for_newcomers(house.program, NOW + 31 * DAY) == first


def test_who_moves_into_a_tier_with_other_terms_is_asked_once_and_told_for_which() -> None:
    house = House()
    assert house.asked(at=NOW) is None
    house.move(house.gold, at=NOW + DAY)
    assert house.asked(at=NOW + DAY) == house.own
    assert terms_asking.follow(house.membership.pk, at=NOW + DAY) == 1
    assert terms_asking.follow(house.membership.pk, at=NOW + DAY) == 0
    mail = OutgoingMail.objects.get(kind="terms_to_accept")
    assert "the Gold tier of" in mail.text and "has terms of its own" in mail.text
    assert "- Support offered" in mail.text and "Pricing" not in mail.text
    # Told on 2 November; thirty days to accept end on 2 December.
    assert "by 2 December 2026" in mail.text
    house.agree(house.own, at=NOW + 2 * DAY)
    assert house.asked(at=NOW + 2 * DAY) is None
    assert TermsNotice.objects.get().settled_at == NOW + 2 * DAY


def test_the_hourly_sweep_finds_who_moved_when_no_bell_rang() -> None:
    house = House()
    house.move(house.gold, at=NOW + DAY)
    assert terms_asking.keep(at=NOW + DAY)["told"] == 1
    assert terms_asking.keep(at=NOW + DAY)["told"] == 0
    # The program's next version is for the others: nobody of them is left to be asked.
    common = house.publish(None, at=NOW + 40 * DAY, notice_days=0, pricing="7 %")
    assert terms_asking.tell(common.pk, at=NOW + 40 * DAY) == 0
    assert house.asked(at=NOW + 40 * DAY) == house.own


def test_who_leaves_the_tier_is_released_and_paid_again_and_asked_anew_on_coming_back() -> None:
    house = House()
    house.move(house.gold, at=NOW)
    terms_asking.follow(house.membership.pk, at=NOW)
    late = NOW + 31 * DAY
    assert terms_asking.keep(at=late)["overdue"] == 1
    terms_pauses.carry_out(at=late)
    assert Pause.objects.open().count() == 1
    house.move(house.registered, at=late + DAY)
    assert terms_asking.follow(house.membership.pk, at=late + DAY) == 0
    terms_pauses.carry_out(at=late + DAY)
    assert not Pause.objects.open().exists()
    assert house.asked(at=late + DAY) is None  # the program's were accepted long ago
    house.move(house.gold, at=late + 10 * DAY)
    assert terms_asking.follow(house.membership.pk, at=late + 10 * DAY) == 1
    notice = TermsNotice.objects.get()
    assert (notice.told_at, notice.overdue_at, notice.settled_at) == (late + 10 * DAY, None, None)
    assert terms.deadline(house.own, house.membership) == late + 40 * DAY
    assert OutgoingMail.objects.filter(kind="terms_to_accept").count() == 2


def test_who_moved_while_the_sweep_looked_meets_no_consequence() -> None:
    house = House(Consequence.SUSPENDED)
    house.move(house.gold, at=NOW)
    terms_asking.follow(house.membership.pk, at=NOW)
    notice = TermsNotice.objects.get()  # found to be late by the sweep, which now waits for the lock
    house.move(house.registered, at=NOW + 40 * DAY)
    assert terms_asking.carry_out(notice, at=NOW + 40 * DAY) is False
    house.membership.refresh_from_db()
    assert house.membership.state == "active"


def test_a_suspension_for_want_of_terms_ends_where_they_no_longer_hold() -> None:
    house = House(Consequence.SUSPENDED)
    house.move(house.gold, at=NOW)
    terms_asking.follow(house.membership.pk, at=NOW)
    terms_asking.keep(at=NOW + 31 * DAY)
    house.membership.refresh_from_db()
    assert house.membership.state == "suspended"
    house.move(house.registered, at=NOW + 32 * DAY)
    assert terms_scope.release(at=NOW + 32 * DAY) == 1
    assert terms_scope.release(at=NOW + 32 * DAY) == 0
    house.membership.refresh_from_db()
    assert house.membership.state == "active"


def test_the_first_step_of_a_newcomer_asks_for_the_terms_of_its_tier() -> None:
    house = House()
    assert onboarding_steps.terms([house.membership], NOW)[house.membership.pk].done
    house.move(house.gold, at=NOW)
    assert not onboarding_steps.terms([house.membership], NOW)[house.membership.pk].done
    house.agree(house.own, at=NOW)
    assert onboarding_steps.terms([house.membership], NOW)[house.membership.pk].done


def test_members_of_a_tier_hear_of_its_first_own_terms_in_time() -> None:
    house = House()
    draft = terms.draft(house.program, sections=TEXTS, tier=house.registered, by=ada(), at=NOW)
    with pytest.raises(TooSoon):
        terms.publish(draft, effective_at=NOW, by=ada(), at=NOW)
    made = terms.publish(draft, effective_at=NOW + 30 * DAY, by=ada(), at=NOW)
    assert terms_asking.tell(made.pk, at=NOW) == 1


@pytest.mark.parametrize("which", ["another program", "out of use"])
def test_terms_are_written_for_tiers_of_the_program_in_use(which: str) -> None:
    house = House()
    if which == "out of use":
        house.gold.retired_at, house.gold.retired_by = NOW, ada()
        house.gold.save()
    tier = house.gold if which == "out of use" else TierFactory.create()
    refused: type[Refused] = OtherTier
    with pytest.raises(refused):
        terms.draft(house.program, sections=TEXTS, tier=tier, by=ada(), at=NOW)
    assert TermsVersion.objects.count() == 2


def test_what_the_hash_says_names_the_tier_and_old_hashes_stay() -> None:
    house = House()
    assert terms.fingerprint(house.own) == house.own.sha256
    twin = TermsVersion(**{name: getattr(house.own, name) for name in (*TEXTS, "program", "number")})
    assert terms.fingerprint(twin) != house.own.sha256
