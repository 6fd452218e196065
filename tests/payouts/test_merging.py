"""Joining two partners moves no money: every balance, line and statement stays where it was, and the partner that goes on is paid."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from partners import merging
from partners.choices import MembershipState, SanctionReason
from partners.models import Ending, Member, Membership, Partner
from payouts import ledger, next_payments, overview, pay_runs, reconcile, reconciliation, release
from payouts.choices import AccountKind, PaymentState, TaxStatus
from payouts.models import Account, Payment, PaymentMethod, Statement, TaxProfile, Withholding
from payouts.tax import mandates, profiles, withholding
from payouts.tax.profiles import TaxFacts
from prm.accounts.models import User
from prm.lib.periods import Month
from prm.mail.models import OutgoingMail
from referrals.models import Click, Code, Credit, Link
from tests.factories.payouts import IBANS, close_months, give_account, looked_at
from tests.factories.prm import UserFactory
from tests.house import open_house
from tests.people import ada, felix, fiona, mats
from tests.portal.scene import JOINED, NOW, Scene, busy_partner, click, on

pytestmark = pytest.mark.django_db


@pytest.fixture
def bo() -> User:
    return UserFactory(email="bo@studio.example", full_name="Bo Prado")


@pytest.fixture
def scene(bo: User) -> Scene:
    """Ana's partner with money in every stage, and the same partner once more as Bo entered it, with 80.00 on hold."""
    scene = busy_partner()
    click(scene, on(6, 1), 1)
    scene.house.member("BO10", at=JOINED, owner=bo)
    scene.house.sale("bo-1", "800.00", "BO10", on(6, 15))  # 80.00, ready on 29 June
    scene.house.rate(on(6, 19))
    return scene


def other(scene: Scene) -> Membership:
    return scene.house.members["BO10"]


def join(scene: Scene) -> Partner:
    return merging.merge(scene.membership.partner, into=other(scene).partner, by=mats(), at=NOW)


def balances() -> dict[tuple[int, str], int]:
    accounts = Account.objects.exclude(membership=None)
    return {(each.membership_id or 0, each.kind): ledger.balance(each).minor for each in accounts}


def test_no_balance_moves_and_the_books_agree(scene: Scene) -> None:
    before = balances()
    assert sum(minor for (pk, _kind), minor in before.items() if pk == scene.membership.pk) == 565_00
    stays = join(scene)
    assert balances() == before
    assert reconciliation.check() == []
    assert [each.public_id for each in Membership.objects.filter(partner=stays).order_by("pk")] == [
        scene.membership.public_id,
        other(scene).public_id,
    ]


def test_one_membership_of_two_in_a_program_ends_and_says_why(scene: Scene) -> None:
    join(scene)
    scene.membership.refresh_from_db()
    assert (scene.membership.state, scene.membership.ended_at) == (MembershipState.ENDED, NOW)
    ending = Ending.objects.get(membership=scene.membership)
    assert (ending.reason, ending.done_at) == (SanctionReason.MERGED, NOW)
    assert not scene.membership.placements.filter(ends_at=None).exists()
    assert other(scene).placements.filter(ends_at=None).count() == 1


def test_statements_payments_and_lines_of_both_are_read_by_who_goes_on(scene: Scene, bo: User) -> None:
    hidden = set(Statement.objects.values_list("pk", flat=True))
    assert not Statement.objects.visible_to(bo).exists()
    join(scene)
    assert set(Statement.objects.visible_to(bo).values_list("pk", flat=True)) == hidden
    assert set(Statement.objects.visible_to(scene.ana).values_list("pk", flat=True)) == hidden


def test_what_was_pending_is_released_and_paid_to_the_account_that_goes_on(scene: Scene) -> None:
    """Ana's 280.00 of May and 40.00 of June, and Bo's 80.00, leave in one run to Bo's account; 45.00 come ready in July."""
    kept = give_account(other(scene), at=JOINED + timedelta(days=10), iban=IBANS[1])
    join(scene)
    release.release_due(at=on(7, 4))
    close_months(scene.house.program, Month(2026, 6), at=on(7, 4))
    run = looked_at(
        pay_runs.prepare(
            scene.house.program.legal_entity,
            currency="GBP",
            execute_on=date(2026, 7, 15),
            by=fiona(),
            at=on(7, 13),
        ),
        at=on(7, 13),
    )
    payments = Payment.objects.filter(pay_run=run)
    assert sorted(payments.values_list("amount_minor", flat=True)) == [80_00, 320_00]
    assert set(payments.values_list("payment_method", flat=True)) == {kept.pk}
    pay_runs.approve(run, by=felix(), at=on(7, 13))
    run.refresh_from_db()
    pay_runs.export(run, by=fiona(), at=on(7, 13))
    assert reconciliation.check() == []


def test_links_and_codes_go_on_for_the_membership_that_goes_on(scene: Scene) -> None:
    credited = Credit.objects.filter(membership=scene.membership).count()
    join(scene)
    assert set(Code.objects.values_list("membership", flat=True)) == {other(scene).pk}
    assert set(Link.objects.values_list("membership", flat=True)) == {other(scene).pk}
    scene.house.sale("after", "100.00", "ANA10", NOW + timedelta(days=1))
    scene.house.rate(NOW + timedelta(days=2))
    assert Credit.objects.get(conversion__external_id="after").membership == other(scene)
    assert scene.house.amounts("after") == [10_00]
    assert Credit.objects.filter(membership=scene.membership).count() == credited
    assert Click.objects.count() == 1
    for membership in Membership.objects.all():
        assert reconcile.reconcile(membership, at=NOW + timedelta(days=3)) is not None
    assert reconciliation.check() == []


def test_a_membership_only_the_duplicate_has_just_moves(scene: Scene, bo: User) -> None:
    elsewhere = open_house(slug="referral", entity=scene.house.program.legal_entity)
    alone = elsewhere.member("ALONE", at=JOINED)
    merging.merge(alone.partner, into=other(scene).partner, by=mats(), at=NOW)
    alone.refresh_from_db()
    assert (alone.partner, alone.state, alone.ended_at) == (other(scene).partner, "active", None)
    assert Code.objects.get(code="ALONE").membership == alone
    assert set(Membership.objects.visible_to(bo)) == {alone, other(scene)}


def test_an_account_only_the_duplicate_has_goes_over_as_a_new_one(scene: Scene, bo: User) -> None:
    [old] = PaymentMethod.objects.current()
    stays = join(scene)
    old.refresh_from_db()
    [taken] = PaymentMethod.objects.current()
    assert (old.replaced_at, old.partner) == (NOW, scene.membership.partner)
    assert (taken.partner, taken.iban, taken.added_by) == (stays, old.iban, mats())
    assert taken.usable_at == NOW + timedelta(hours=72)
    told = OutgoingMail.objects.filter(kind="bank_details_changed", about=taken.public_id)
    assert set(told.values_list("to", flat=True)) >= {bo.email, scene.ana.email}


def test_of_two_accounts_the_one_that_stays_waits_as_after_a_change(scene: Scene) -> None:
    kept = give_account(other(scene), at=JOINED + timedelta(days=10), iban=IBANS[1])
    join(scene)
    kept.refresh_from_db()
    assert kept.usable_at == NOW + timedelta(hours=72)
    assert list(PaymentMethod.objects.current()) == [kept]


def test_taxes_go_over_where_there_are_none_and_end_where_there_are(scene: Scene) -> None:
    facts = TaxFacts("GB", TaxStatus.PRIVATE)
    profiles.set_profile(scene.membership.partner, facts, by=scene.ana, at=JOINED)
    withholding.set_rate(
        scene.membership.partner,
        rate=Decimal(20),
        basis="Law",
        starts_on=date(2026, 2, 1),
        by=ada(),
        at=JOINED,
    )
    stays = join(scene)
    standing = profiles.in_force(stays, at=NOW)
    assert standing is not None and standing.status == TaxStatus.PRIVATE
    assert profiles.in_force(scene.membership.partner, at=NOW) is None
    rate = withholding.rate_on(stays, NOW.date() + timedelta(days=1))
    assert rate is not None and rate.rate == 20
    assert Withholding.objects.filter(ends_on=None).count() == 1

    third = scene.house.member("THIRD", at=JOINED).partner
    profiles.set_profile(third, TaxFacts("GB", TaxStatus.BUSINESS, "GB980780684"), by=ada(), at=JOINED)
    merging.merge(third, into=stays, by=mats(), at=NOW)
    assert TaxProfile.objects.filter(ends_at=None).count() == 1
    assert profiles.in_force(stays, at=NOW) == standing


def test_an_agreement_on_invoices_ends_and_the_page_says_so_before(scene: Scene) -> None:
    partner, entity = scene.membership.partner, scene.house.program.legal_entity
    entity.vat_number = "GB980780684"
    entity.save()
    Partner.objects.filter(pk=partner.pk).update(street="Mill Lane", postcode="BS1 4DJ", town="Bristol")
    partner.refresh_from_db()
    profiles.set_profile(partner, TaxFacts("GB", TaxStatus.BUSINESS, "GB980780684"), by=scene.ana, at=JOINED)
    from payouts.tax import agreement

    mandate = mandates.agree(partner, entity, version=agreement.VERSION, by=scene.ana, at=JOINED)
    said, reasons = merging.look(partner, into=other(scene).partner, by=mats(), at=NOW)
    assert reasons == []
    assert any("never handed over" in sentence for sentence in said)
    stays = join(scene)
    mandate.refresh_from_db()
    assert (mandate.ended_at, mandate.partner) == (NOW, partner)
    assert mandates.in_force(stays, entity, at=NOW) is None


def test_a_payment_that_is_being_prepared_comes_first(scene: Scene) -> None:
    run = pay_runs.prepare(
        scene.house.program.legal_entity, currency="GBP", execute_on=date(2026, 6, 24), by=fiona(), at=NOW
    )
    assert Payment.objects.filter(pay_run=run, state=PaymentState.QUEUED).exists()
    with pytest.raises(merging.NotNow) as refusal:
        join(scene)
    assert run.public_id in str(refusal.value)
    assert Member.objects.current().filter(partner=other(scene).partner).count() == 1


def test_the_portal_of_who_goes_on_counts_the_money_of_both(scene: Scene) -> None:
    ended = overview.money_of(scene.membership, at=NOW)
    join(scene)
    assert overview.money_of(scene.membership, at=NOW) == ended
    coming = next_payments.next_payment(
        Membership.objects.get(pk=scene.membership.pk), overview.payments_of(scene.membership), at=NOW
    )
    assert coming is not None
    assert ledger.balance(ledger.partner_account(scene.membership, AccountKind.PENDING)).minor == 45_00
